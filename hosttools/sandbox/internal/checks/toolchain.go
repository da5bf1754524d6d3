package checks

import (
	"context"
	"go/version"
	"strings"
)

// toolchain: the installed Go is new enough for everything, so nothing makes go fetch another.
func toolchain(ctx context.Context, t *tree, r *Report) error {
	installed, err := t.goCommand(ctx, t.temp, nil, "env", "GOVERSION")
	if err != nil {
		return err
	}
	installed = strings.TrimSpace(installed)
	if !version.IsValid(installed) {
		r.note("", 0, "the installed Go is %s, a development version: nothing can be compared with it", shown(installed))
		return nil
	}
	if t.work != nil {
		newer(r, installed, "go.work", t.work.text, t.work.Go, t.work.Toolchain)
	}
	for _, m := range t.modules {
		newer(r, installed, m.file, m.text, m.Go, m.Toolchain)
	}
	return nil
}

func newer(r *Report, installed, file, text, language, toolchain string) {
	if language != "" && version.Compare("go"+language, installed) > 0 {
		r.add(file, lineOf(text, "go", language), "go %s is newer than the installed %s", language, installed)
	}
	if toolchain != "" && toolchain != "default" && version.Compare(toolchain, installed) > 0 {
		r.add(file, lineOf(text, "toolchain", toolchain), "toolchain %s would be fetched: %s is installed", toolchain, installed)
	}
}
