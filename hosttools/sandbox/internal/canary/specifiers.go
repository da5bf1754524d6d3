package canary

import (
	"fmt"
	"os"
	"strings"
)

// specifiers are systemd's, of a service that root's systemd runs. See "Specifiers" in systemd.unit(5).
func specifiers(template, instance string) map[byte]string {
	prefix, suffix, _ := strings.Cut(template, "@")
	full := prefix + "@" + instance + suffix
	last := prefix[strings.LastIndexByte(prefix, '-')+1:]
	host, _ := os.Hostname()
	return map[byte]string{
		'i': instance, 'I': instance, 'n': full, 'N': strings.TrimSuffix(full, ".service"),
		'p': prefix, 'P': prefix, 'j': last, 'J': last, 'f': "/" + instance,
		't': "/run", 'S': "/var/lib", 'C': "/var/cache", 'L': "/var/log", 'E': "/etc", 'T': "/tmp", 'V': "/var/tmp",
		'h': "/root", 'u': "root", 'U': "0", 'g': "root", 'G': "0", 's': "/bin/sh", 'H': host, '%': "%",
	}
}

// resolve puts in what the specifiers of a value stand for; systemd-run does not do it.
func resolve(value string, known map[byte]string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '%' {
			out.WriteByte(value[i])
			continue
		}
		i++
		if i == len(value) {
			return "", fmt.Errorf("it ends in %%")
		}
		text, is := known[value[i]]
		if !is {
			return "", fmt.Errorf("the specifier %%%c has no value outside of the slot's own unit", value[i])
		}
		out.WriteString(text)
	}
	return out.String(), nil
}
