package job

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Limits are those of the control group that a process is in, and of those around it. 0: none.
type Limits struct {
	// CPUs is the number of processors, rounded up.
	CPUs int
	// Memory in bytes.
	Memory int64
}

// ReadLimits reads the calling process's limits below a root directory, of cgroup v2 and of v1 hierarchies; see
// cgroups(7). What cannot be read is no limit.
func ReadLimits(root string) Limits {
	text, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	var l Limits
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
				l.take(filepath.Join(root, mount, each))
				if each == "/" {
					break
				}
			}
		}
	}
	return l
}

// take lowers the limits to those of one group.
func (l *Limits) take(group string) {
	quota, period, found := strings.Cut(first(group, "cpu.max"), " ")
	if !found {
		quota, period = first(group, "cpu.cfs_quota_us"), first(group, "cpu.cfs_period_us")
	}
	if q, p := number(quota), number(period); q > 0 && p > 0 {
		cpus := int((q + p - 1) / p)
		if l.CPUs == 0 || cpus < l.CPUs {
			l.CPUs = cpus
		}
	}
	for _, name := range []string{"memory.max", "memory.high", "memory.limit_in_bytes"} {
		// v1 says "no limit" by a number close to the largest.
		if n := number(first(group, name)); n > 0 && n < 1<<60 && (l.Memory == 0 || n < l.Memory) {
			l.Memory = n
		}
	}
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
