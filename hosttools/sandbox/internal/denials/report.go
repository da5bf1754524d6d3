package denials

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Kind is what events of one group have in common.
type Kind struct {
	Denied    bool   `json:"denied"`
	Profile   string `json:"profile"`
	Operation string `json:"operation"`
	// Object is the path, capability, profile or address family, without what differs from run to run.
	Object string `json:"object"`
	Access string `json:"access"`
}

// Group is how often, when and by which commands.
type Group struct {
	Kind
	Count    int       `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Commands []string  `json:"commands"`
}

// Report is what was denied, and what complain mode let through; the most frequent first.
type Report struct {
	Denied  int     `json:"denied"`
	Allowed int     `json:"allowed"`
	Groups  []Group `json:"groups"`
}

// changing is what go, and the kernel, number anew for each run.
var changing = []struct {
	pattern *regexp.Regexp
	becomes string
}{
	{regexp.MustCompile(`/go-build\d+`), "/go-build*"},
	{regexp.MustCompile(`^/proc/\d+/`), "/proc/*/"},
	{regexp.MustCompile(`/task/\d+/`), "/task/*/"},
}

// Summarise groups events, which must be distinct.
func Summarise(events []Event) Report {
	report := Report{Groups: []Group{}}
	groups := map[Kind]*Group{}
	for _, event := range events {
		if event.Denied {
			report.Denied++
		} else {
			report.Allowed++
		}
		kind := kindOf(event)
		group := groups[kind]
		if group == nil {
			group = &Group{Kind: kind, First: event.Time, Commands: []string{}}
			groups[kind] = group
		}
		group.Count++
		group.Last = event.Time
		if !slices.Contains(group.Commands, event.Command) {
			group.Commands = append(group.Commands, event.Command)
		}
	}
	for _, group := range groups {
		slices.Sort(group.Commands)
		report.Groups = append(report.Groups, *group)
	}
	slices.SortFunc(report.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(fmt.Sprint(a.Kind), fmt.Sprint(b.Kind)))
	})
	return report
}

func kindOf(event Event) Kind {
	object := event.Object
	for _, each := range changing {
		object = each.pattern.ReplaceAllString(object, each.becomes)
	}
	return Kind{event.Denied, event.Profile, event.Operation, object, event.Access}
}

// WriteText says the same for people.
func (r Report) WriteText(to io.Writer) error {
	if len(r.Groups) == 0 {
		_, err := fmt.Fprintln(to, "AppArmor: nothing was denied, and nothing would have been")
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIMES\tVERDICT\tPROFILE\tOPERATION\tACCESS\tWHAT\tBY\tLAST")
	for _, g := range r.Groups {
		verdict := "allowed"
		if g.Denied {
			verdict = "DENIED"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Count, verdict, printable(g.Profile), printable(g.Operation),
			printable(g.Access), printable(g.Object), printable(strings.Join(g.Commands, ",")), g.Last.Format(time.RFC3339))
	}
	if r.Allowed > 0 {
		fmt.Fprintf(table, "\n%d allowed only because a profile complains: enforce mode denies them.\n", r.Allowed)
	}
	return table.Flush()
}

// printable keeps what a job called its files from writing to the terminal of who looks.
func printable(text string) string {
	if text == "" {
		return "-"
	}
	quoted := fmt.Sprintf("%+q", text)
	if quoted == `"`+text+`"` && !strings.Contains(text, " ") {
		return text
	}
	return quoted
}
