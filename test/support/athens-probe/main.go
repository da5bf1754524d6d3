// Command athens-probe says what Athens' own packages understand of its files. It is built inside Athens' module, so it
// answers as that release does. Subcommands write JSON to stdout:
//
//	variables       names of all tagged variables
//	config FILE     the configuration Athens would run with, by variable, and keys of the file that mean nothing to it
//	modes           stdin: a JSON list of download mode files; for each its default and what it says of the modules in argv
//	toml            stdin: a JSON list of TOML documents; for each what it holds
package main

import (
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
	"reflect"
	"sort"

	"github.com/BurntSushi/toml"
	"github.com/gomods/athens/pkg/config"
	"github.com/gomods/athens/pkg/download/mode"
)

func main() {
	var answer any
	switch os.Args[1] {
	case "variables":
		answer = variables()
	case "config":
		answer = configuration(os.Args[2])
	case "modes":
		answer = each(func(text string) any { return modes(text, os.Args[2:]) })
	case "toml":
		answer = each(document)
	default:
		log.Fatalf("no subcommand %q", os.Args[1])
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}

func each(answer func(string) any) []any {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		log.Fatal(err)
	}
	answers := make([]any, len(texts))
	for i, text := range texts {
		answers[i] = answer(text)
	}
	return answers
}

func variables() []string {
	seen := map[string]bool{}
	walk(reflect.New(reflect.TypeFor[config.Config]()).Elem(), true, func(name string, _ reflect.Value) { seen[name] = true })
	names := []string{}
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// walk visits every field with an envconfig tag; with all set, those below nil pointers too.
func walk(v reflect.Value, all bool, visit func(string, reflect.Value)) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if name := field.Tag.Get("envconfig"); name != "" {
			visit(name, value)
			continue
		}
		if field.Name == "Timeout" && v.Type() == reflect.TypeFor[config.TimeoutConf]() {
			visit("ATHENS_TIMEOUT", value)
		}
		if value.Kind() == reflect.Pointer {
			if value.IsNil() && all {
				value = reflect.New(value.Type().Elem())
			}
			value = value.Elem()
		}
		if value.Kind() == reflect.Struct {
			walk(value, all, visit)
		}
	}
}

func configuration(file string) any {
	loaded, err := config.Load(file)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	values := map[string][]any{}
	walk(reflect.ValueOf(loaded).Elem(), false, func(name string, v reflect.Value) { values[name] = append(values[name], v.Interface()) })
	unknown := []string{}
	meta, err := toml.DecodeFile(file, &config.Config{})
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	for _, key := range meta.Undecoded() {
		unknown = append(unknown, key.String())
	}
	return map[string]any{"values": values, "unknown": unknown}
}

func modes(text string, modules []string) any {
	file, err := mode.NewFile(mode.Mode("custom:"+base64.StdEncoding.EncodeToString([]byte(text))), "")
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	answers := map[string]any{}
	for _, module := range modules {
		answers[module] = map[string]any{"mode": file.Match(module), "url": file.URL(module)}
	}
	return map[string]any{"mode": file.Mode, "url": file.DownloadURL, "rules": file.Paths, "modules": answers}
}

func document(text string) any {
	var held map[string]any
	if _, err := toml.Decode(text, &held); err != nil {
		return map[string]any{"error": err.Error()}
	}
	return held
}
