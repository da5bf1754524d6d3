package checks

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// replace: nothing is built from a local path in the place of a module, and no version that its authors took back.
func replace(ctx context.Context, t *tree, r *Report) error {
	if t.work != nil {
		for _, each := range t.work.Replace {
			if each.New.Version == "" && !slices.Contains(t.Replace, each.Old.Path) {
				r.add("go.work", lineOf(t.work.text, each.Old.Path, "=>"), "%s is replaced by the local path %s", each.Old.Path, shown(each.New.Path))
			}
		}
	}
	for _, m := range t.modules {
		for _, each := range m.Replace {
			line := lineOf(m.text, each.Old.Path, "=>")
			switch {
			case each.New.Version != "":
				r.note(m.file, line, "%s is replaced by %s %s", each.Old.Path, each.New.Path, each.New.Version)
			case slices.Contains(t.Replace, each.Old.Path):
				r.note(m.file, line, "%s is replaced by a local path, which is allowed", each.Old.Path)
			default:
				r.add(m.file, line, "%s is replaced by the local path %s", each.Old.Path, shown(each.New.Path))
			}
		}
		for _, each := range m.Exclude {
			r.note(m.file, lineOf(m.text, each.Path, each.Version), "%s %s is excluded", each.Path, each.Version)
		}
		if err := t.retracted(ctx, m, r); err != nil {
			return err
		}
	}
	return nil
}

// retracted adds findings for versions that were taken back, where a proxy tells.
func (t *tree) retracted(ctx context.Context, m *module, r *Report) error {
	if len(m.Require) == 0 {
		return nil
	}
	// Without one go says nothing at all about versions it has in its cache.
	if proxies, err := t.goCommand(ctx, m.dir, nil, "env", "GOPROXY"); err != nil || strings.TrimSpace(proxies) == "off" {
		r.note(m.file, 0, "whether versions were retracted was not looked up: GOPROXY is off")
		return err
	}
	file, err := t.copied(m)
	if err != nil {
		return err
	}
	out, err := t.goCommand(ctx, m.dir, nil, "list", "-mod=mod", "-modfile="+file, "-m", "-u", "-retracted", "-e", "-json", "all")
	var said *goError
	if errors.As(err, &said) {
		r.note(m.file, 0, "whether versions were retracted was not looked up: %s", lastLines(said.said, 2))
		return nil
	}
	if err != nil {
		return err
	}
	asked, unanswered := 0, ""
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var found struct {
			Path, Version string
			Main          bool
			Retracted     []string
			Replace       *struct{ Version string }
			Error         *struct{ Err string }
		}
		if err := decoder.Decode(&found); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if found.Main || found.Replace != nil {
			continue
		}
		asked++
		if found.Error != nil {
			unanswered = found.Error.Err
		}
		if found.Retracted != nil {
			r.add(m.file, lineOf(m.text, found.Path, found.Version), "%s %s was retracted: %s", found.Path, found.Version, strings.Join(found.Retracted, "; "))
		}
	}
	if unanswered != "" {
		r.note(m.file, 0, "whether versions of the %d modules were retracted was not answered for all: %s", asked, lastLines(unanswered, 2))
	}
	return nil
}
