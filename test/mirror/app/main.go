// Command app is what a mirror's tests and its benchmark build.
package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

func main() {
	app := &cobra.Command{Use: "app", RunE: func(*cobra.Command, []string) error {
		text, err := yaml.Marshal(map[string]string{"language": language.English.String()})
		fmt.Print(string(text))
		return err
	}}
	cobra.CheckErr(app.Execute())
}
