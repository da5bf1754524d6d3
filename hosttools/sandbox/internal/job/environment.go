package job

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gofleet/sandbox/internal/config"
)

// Environment is what a job sees: what its unit has, and where its own things are. GOENV is HOME's, which is new with each
// job, so that `go env -w` works and lasts as long as the job. The number of processors and where modules come from are
// defaults: what the unit has comes first. GOMEMLIMIT is never one: the compiler is slower wherever it is set.
func Environment(c *config.Config, s *config.Slot, given []string, cpus int) []string {
	below := func(name string) string { return filepath.Join(s.Workspace, name) }
	set := map[string]string{
		"HOME":        below(config.Home),
		"TMPDIR":      below(config.Tmp),
		"GOTMPDIR":    below(config.GoTmp),
		"GOCACHE":     s.BuildCache,
		"GOMODCACHE":  s.Modules,
		"GOTOOLCHAIN": "local",
		"PWD":         below(config.Checkout),
	}
	if program := cacheProgram(c); program != "" {
		set["GOCACHEPROG"] = program
	}
	defaults := maps.Clone(c.Modules.Environment)
	if defaults == nil {
		defaults = map[string]string{}
	}
	if cpus > 0 {
		defaults["GOMAXPROCS"] = strconv.Itoa(cpus)
	}
	path := filepath.Dir(c.Go)
	var environment []string
	for _, each := range given {
		name, value, _ := strings.Cut(each, "=")
		if _, ours := set[name]; ours || name == "GOENV" || name == "GOPATH" || strings.HasPrefix(name, "XDG_") {
			continue
		}
		delete(defaults, name)
		if name == "PATH" {
			set[name] = path + ":" + value
			continue
		}
		environment = append(environment, each)
	}
	if set["PATH"] == "" {
		set["PATH"] = path + ":/usr/local/bin:/usr/bin:/bin"
	}
	for _, values := range []map[string]string{set, defaults} {
		for name, value := range values {
			environment = append(environment, name+"="+value)
		}
	}
	slices.Sort(environment)
	return environment
}

// cacheProgram is GOCACHEPROG: this program, between the go command and the one that is configured.
func cacheProgram(c *config.Config) string {
	self, err := os.Executable()
	if err != nil || len(c.Cache.Program) == 0 {
		return ""
	}
	words := []string{self, "cacheprog"}
	if c.Cache.ProgramWrites {
		words = append(words, "-write")
	}
	words = append(append(words, "--"), c.Cache.Program...)
	for i, each := range words {
		words[i] = goWord(each)
	}
	return strings.Join(words, " ")
}

// goWord writes a word as the go command reads lists of words: quotes as a whole, without any escape. No word has both
// kinds of quotes.
func goWord(word string) string {
	switch {
	case word != "" && !strings.ContainsAny(word, " \t\r\n'\""):
		return word
	case strings.Contains(word, "'"):
		return `"` + word + `"`
	}
	return "'" + word + "'"
}
