package main

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a flag: bytes, or such as 10GiB.
type size int64

func (s *size) String() string { return strconv.FormatInt(int64(*s), 10) }

func (s *size) Set(text string) error {
	digits, factor := text, int64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			digits, factor = strings.TrimSpace(rest), 1<<(10*(i+1))
		}
	}
	value, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || value < 1 || value > (1<<62)/factor {
		return fmt.Errorf("must be bytes, or a whole number with KiB, MiB, GiB or TiB")
	}
	*s = size(value * factor)
	return nil
}
