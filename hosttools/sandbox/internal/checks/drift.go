package checks

import "context"

// drift: the modules of one tree require the same versions.
func drift(_ context.Context, t *tree, r *Report) error {
	type use struct {
		in      *module
		version string
	}
	uses := map[string][]use{}
	for _, m := range t.modules {
		for _, each := range m.Require {
			uses[each.Path] = append(uses[each.Path], use{m, each.Version})
		}
	}
	for _, path := range sortedKeys(uses) {
		first := uses[path][0]
		differ := false
		for _, each := range uses[path] {
			differ = differ || each.version != first.version
		}
		if !differ {
			continue
		}
		for _, each := range uses[path] {
			r.add(each.in.file, lineOf(each.in.text, path, each.version), "%s is required as %s here, and otherwise elsewhere", path, each.version)
		}
	}
	return nil
}
