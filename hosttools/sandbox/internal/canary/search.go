package canary

import (
	"context"
	"fmt"
	"strings"

	"gofleet/sandbox/internal/unitfile"
)

// search finds the directives to blame for a step that fails.
type search struct {
	// run tries the steps; cold: with nothing compiled before, else from what keep kept.
	run func(ctx context.Context, settings []Setting, steps []string, cold bool) (outcome, error)
	// keep makes what is compiled now the start of each later run: a run must not profit from the one before it.
	keep func() error
	// step that failed, and the directives it failed with.
	step                string
	granting, confining []Setting
	cold                bool
	seen                map[string]bool
}

// verdict is what a search found.
type verdict struct {
	// blamed are sets of directives; each fails alone, and does not with one of its directives taken away.
	blamed [][]unitfile.Directive
	// innocent: the step fails without any directive.
	innocent bool
	// gone: with all directives the step passes when it is run alone.
	gone bool
	// output of the run that decided.
	output []string
}

// blame runs the failed step with ever fewer directives. What grants is kept while what confines is searched: without the
// paths it may write to, a confined job fails for no fault of the one that confines it.
func (s *search) blame(ctx context.Context) (verdict, error) {
	s.seen = map[string]bool{}
	var v verdict
	bare, err := s.run(ctx, nil, s.steps(), false)
	if err != nil {
		return v, err
	}
	if bare.failed != "" {
		return verdict{innocent: true, output: bare.output}, nil
	}
	if err := s.keep(); err != nil {
		return v, err
	}
	for {
		failed, err := s.fails(ctx, s.granting, s.confining)
		if err != nil {
			return v, err
		}
		if failed {
			break
		}
		// With a warm cache there is less to do: less memory, fewer files.
		if s.cold {
			v.gone = true
			return v, nil
		}
		s.cold = true
	}
	granting := s.granting
	if err := s.collect(ctx, &v, &granting, func(some []Setting) (bool, error) { return s.fails(ctx, some, nil) }); err != nil {
		return v, err
	}
	confining := s.confining
	err = s.collect(ctx, &v, &confining, func(some []Setting) (bool, error) { return s.fails(ctx, granting, some) })
	return v, err
}

// collect takes sets to blame out of settings until the rest passes.
func (s *search) collect(ctx context.Context, v *verdict, settings *[]Setting, fails func([]Setting) (bool, error)) error {
	for len(*settings) > 0 {
		failed, err := fails(*settings)
		if err != nil || !failed {
			return err
		}
		set, err := minimise(*settings, fails)
		if err == nil && len(set) == 1 && len(set[0]) > 1 {
			set[0], err = lines(set[0], fails)
		}
		v.blamed = append(v.blamed, flat(set))
		if err != nil {
			return err
		}
		*settings = without(*settings, set)
	}
	return nil
}

// lines narrows lines of one list down to one without which the others pass.
func lines(list Setting, fails func([]Setting) (bool, error)) (Setting, error) {
	for i := len(list) - 1; i >= 0; i-- {
		rest := append(append(Setting{}, list[:i]...), list[i+1:]...)
		failed, err := fails([]Setting{rest})
		if err != nil {
			return list, err
		}
		if !failed {
			return list[i : i+1], nil
		}
	}
	return list, nil
}

func (s *search) steps() []string {
	if s.step == startStep {
		return nil
	}
	return []string{s.step}
}

func (s *search) fails(ctx context.Context, granting, confining []Setting) (bool, error) {
	all := append(append([]Setting{}, granting...), confining...)
	key := fmt.Sprint(s.cold, keyOf(all))
	if failed, is := s.seen[key]; is {
		return failed, nil
	}
	out, err := s.run(ctx, all, s.steps(), s.cold)
	if err != nil {
		return false, err
	}
	s.seen[key] = out.failed != ""
	return s.seen[key], nil
}

func keyOf(settings []Setting) string {
	var key strings.Builder
	for _, d := range flat(settings) {
		fmt.Fprintf(&key, "%d %s\n", d.Line, d)
	}
	return key.String()
}

func flat(settings []Setting) []unitfile.Directive {
	var all []unitfile.Directive
	for _, each := range settings {
		all = append(all, each...)
	}
	return all
}

// without returns the settings that have no line in set.
func without(settings, set []Setting) []Setting {
	taken := map[int]bool{}
	for _, d := range flat(set) {
		taken[d.Line] = true
	}
	var kept []Setting
	for _, setting := range settings {
		var rest Setting
		for _, d := range setting {
			if !taken[d.Line] {
				rest = append(rest, d)
			}
		}
		if rest != nil {
			kept = append(kept, rest)
		}
	}
	return kept
}
