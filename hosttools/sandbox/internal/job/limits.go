package job

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ReadCPULimit is the number of processors, rounded up, that the control group of the calling process has below a root
// directory, or the least of those around it, of cgroup v2 and of v1 hierarchies; see cgroups(7). 0: no limit, or none
// that can be read.
func ReadCPULimit(root string) int {
	text, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	cpus := 0
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) < 3 {
			continue
		}
		group := fields[2]
		mounts := []string{"sys/fs/cgroup/" + fields[1]}
		if fields[1] == "" {
			mounts = []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}
		}
		for _, mount := range mounts {
			for each := filepath.Clean("/" + group); ; each = filepath.Dir(each) {
				if here := ofGroup(filepath.Join(root, mount, each)); here > 0 && (cpus == 0 || here < cpus) {
					cpus = here
				}
				if each == "/" {
					break
				}
			}
		}
	}
	return cpus
}

// ofGroup is the number of processors of one group, rounded up; 0: no limit.
func ofGroup(group string) int {
	quota, period, found := strings.Cut(first(group, "cpu.max"), " ")
	if !found {
		quota, period = first(group, "cpu.cfs_quota_us"), first(group, "cpu.cfs_period_us")
	}
	q, p := number(quota), number(period)
	if q <= 0 || p <= 0 {
		return 0
	}
	return int((q + p - 1) / p)
}

func first(group, name string) string {
	text, err := os.ReadFile(filepath.Join(group, name))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// number is 0 for what is none, such as "max".
func number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
