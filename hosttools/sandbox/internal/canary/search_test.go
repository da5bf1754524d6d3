package canary

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"reflect"
	"sort"
	"strings"
	"testing"

	"gofleet/sandbox/internal/unitfile"
)

func setting(line int, name string) Setting {
	return Setting{unitfile.Directive{Name: name, Value: "yes", Line: line}}
}

func settings(from, count int, name string) []Setting {
	var all []Setting
	for i := range count {
		all = append(all, setting(from+i, fmt.Sprintf("%s%d", name, i)))
	}
	return all
}

// planted fails where all lines of one of the sets are given.
type planted struct {
	sets [][]int
	runs int
}

func (p *planted) run(_ context.Context, given []Setting, _ []string, _ bool) (outcome, error) {
	p.runs++
	lines := map[int]bool{}
	for _, d := range flat(given) {
		lines[d.Line] = true
	}
	for _, set := range p.sets {
		all := true
		for _, line := range set {
			all = all && lines[line]
		}
		if all {
			return outcome{failed: "build"}, nil
		}
	}
	return outcome{}, nil
}

func linesOf(v verdict) [][]int {
	found := [][]int{}
	for _, set := range v.blamed {
		lines := []int{}
		for _, d := range set {
			lines = append(lines, d.Line)
		}
		sort.Ints(lines)
		found = append(found, lines)
	}
	sort.Slice(found, func(i, j int) bool { return found[i][0] < found[j][0] })
	return found
}

// Whatever is planted is named: exactly, each set of its own, and nothing else.
func FuzzBlame(f *testing.F) {
	for seed := range int64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		random := rand.New(rand.NewSource(seed))
		confining := settings(1, 1+random.Intn(60), "Protect")
		granting := settings(100, random.Intn(12), "Paths")
		left := random.Perm(len(confining))
		plant := &planted{}
		for range 1 + random.Intn(3) {
			size := min(1+random.Intn(3), len(left))
			if size == 0 {
				break
			}
			set := []int{}
			for _, i := range left[:size] {
				set = append(set, confining[i][0].Line)
			}
			left = left[size:]
			sort.Ints(set)
			plant.sets = append(plant.sets, set)
		}
		if len(granting) > 0 && random.Intn(4) == 0 {
			plant.sets = append(plant.sets, []int{granting[random.Intn(len(granting))][0].Line})
		}
		sort.Slice(plant.sets, func(i, j int) bool { return plant.sets[i][0] < plant.sets[j][0] })
		s := search{keep: kept, run: plant.run, step: "build", granting: granting, confining: confining}
		v, err := s.blame(context.Background())
		if err != nil || v.innocent || v.gone {
			t.Fatalf("%+v, %v", v, err)
		}
		if got := linesOf(v); !reflect.DeepEqual(got, plant.sets) {
			t.Errorf("named %v, planted %v of %d and %d", got, plant.sets, len(confining), len(granting))
		}
	})
}

func TestBlameOfOneInSixtyTakesFewRuns(t *testing.T) {
	for line := 1; line <= 60; line++ {
		plant := &planted{sets: [][]int{{line}}}
		s := search{keep: kept, run: plant.run, step: "build", confining: settings(1, 60, "Protect")}
		if _, err := s.blame(context.Background()); err != nil {
			t.Fatal(err)
		}
		if plant.runs > 16 {
			t.Errorf("line %d took %d runs", line, plant.runs)
		}
	}
}

func TestBlameNamesOneLineOfAList(t *testing.T) {
	list := Setting{{Name: "SystemCallFilter", Value: "@system-service", Line: 3}, {Name: "SystemCallFilter", Value: "~@privileged", Line: 4}, {Name: "SystemCallFilter", Value: "~clone", Line: 5}}
	plant := &planted{sets: [][]int{{5}}}
	s := search{keep: kept, run: plant.run, step: "build", confining: append(settings(10, 20, "Protect"), list)}
	v, err := s.blame(context.Background())
	if got := linesOf(v); err != nil || !reflect.DeepEqual(got, [][]int{{5}}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBlameSaysWhenNothingIsToBlame(t *testing.T) {
	always := func(context.Context, []Setting, []string, bool) (outcome, error) {
		return outcome{failed: "build", output: []string{"no space"}}, nil
	}
	s := search{keep: kept, run: always, step: "build", confining: settings(1, 3, "Protect")}
	if v, err := s.blame(context.Background()); err != nil || !v.innocent || v.output[0] != "no space" || v.blamed != nil {
		t.Errorf("%+v, %v", v, err)
	}
	never := func(context.Context, []Setting, []string, bool) (outcome, error) { return outcome{}, nil }
	s = search{keep: kept, run: never, step: "build", confining: settings(1, 3, "Protect")}
	if v, err := s.blame(context.Background()); err != nil || !v.gone || v.blamed != nil {
		t.Errorf("%+v, %v", v, err)
	}
}

// What fails only while everything is compiled is searched with an empty cache.
func TestBlameOfWhatFailsOnlyCold(t *testing.T) {
	plant := &planted{sets: [][]int{{7}}}
	run := func(ctx context.Context, given []Setting, steps []string, cold bool) (outcome, error) {
		if !cold {
			return outcome{}, nil
		}
		return plant.run(ctx, given, steps, cold)
	}
	s := search{keep: kept, run: run, step: "build", confining: settings(1, 20, "Protect")}
	v, err := s.blame(context.Background())
	if got := linesOf(v); err != nil || !reflect.DeepEqual(got, [][]int{{7}}) {
		t.Errorf("%v, %v", got, err)
	}
}

// What is known when the time is over is still told.
func TestBlameEndsWithWhatItHas(t *testing.T) {
	over := errors.New("the time is over")
	plant := &planted{sets: [][]int{{7}}}
	run := func(ctx context.Context, given []Setting, steps []string, cold bool) (outcome, error) {
		if plant.runs == 5 {
			return outcome{}, over
		}
		return plant.run(ctx, given, steps, cold)
	}
	s := search{keep: kept, run: run, step: "build", confining: settings(1, 60, "Protect")}
	v, err := s.blame(context.Background())
	if !errors.Is(err, over) || len(v.blamed) != 1 || len(v.blamed[0]) >= 60 || !strings.Contains(fmt.Sprint(linesOf(v)), " 7") {
		t.Errorf("%v, %v", linesOf(v), err)
	}
}

func TestStartIsTriedWithoutSteps(t *testing.T) {
	var tried [][]string
	run := func(_ context.Context, given []Setting, steps []string, _ bool) (outcome, error) {
		tried = append(tried, steps)
		if len(given) > 0 {
			return outcome{failed: startStep}, nil
		}
		return outcome{}, nil
	}
	s := search{keep: kept, run: run, step: startStep, confining: settings(1, 1, "Protect")}
	v, err := s.blame(context.Background())
	if err != nil || len(v.blamed) != 1 || tried[0] != nil {
		t.Errorf("%+v, %v, %v", v, err, tried)
	}
}

func kept() error { return nil }
