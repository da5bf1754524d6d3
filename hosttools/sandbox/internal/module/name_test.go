package module

import "testing"

func TestNames(t *testing.T) {
	for text, good := range map[string]bool{
		"example.com/a@v1.2.3":                                 true,
		"example.com/a@v0.0.0-20240102030405-abcdef012345":     true,
		"github.com/BurntSushi/toml@v1.3.2":                    true,
		"github.com/a/b/v2@v2.0.0-rc.1":                        true,
		"github.com/a/b@v2.0.0+incompatible":                   true,
		"gopkg.in/yaml.v3@v3.0.1":                              true,
		"gopkg.in/check.v1@v1.0.0-20201130134442-10cb98267c6c": true,
		"gopkg.in/tomb.v1@v0.0.0-20141024135613-dd632973f1e7":  true,
		"golang.org/x/tools/gopls@v0.16.0":                     true,
		"example.com/a":                                        false,
		"example.com/a@":                                       false,
		"example.com/a@latest":                                 false,
		"example.com/a@v1":                                     false,
		"example.com/a@v1.2.3+meta":                            false,
		"example.com/a@v01.2.3":                                false,
		"example.com/a@v1.2.3-":                                false,
		"example.com/a@v1.2.3@v1.2.4":                          false,
		"example.com/a@v2.0.0":                                 false,
		"example.com/a@v1.0.0+incompatible":                    false,
		"example.com/a/v2@v1.0.0":                              false,
		"example.com/a/v1@v1.0.0":                              false,
		"gopkg.in/yaml.v3@v2.0.0":                              false,
		"gopkg.in/yaml@v1.0.0":                                 false,
		"fmt@v1.0.0":                                           false,
		"Example.com/a@v1.0.0":                                 false,
		"-x.com/a@v1.0.0":                                      false,
		"--flag@v1.0.0":                                        false,
		"example.com/../a@v1.0.0":                              false,
		"example.com//a@v1.0.0":                                false,
		"example.com/a/@v1.0.0":                                false,
		"example.com/.git@v1.0.0":                              false,
		"example.com/a.@v1.0.0":                                false,
		"example.com/con@v1.0.0":                               false,
		"example.com/NUL.x@v1.0.0":                             false,
		"example.com/progra~1@v1.0.0":                          false,
		"example.com/a b@v1.0.0":                               false,
		"example.com/a\n@v1.0.0":                               false,
		"example.com/ä@v1.0.0":                                 false,
		"/etc/passwd@v1.0.0":                                   false,
		"example.com/a;id@v1.0.0":                              false,
	} {
		if _, err := Parse(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFiles(t *testing.T) {
	v := Version{"github.com/BurntSushi/toml", "v1.3.2-RC1"}
	name := v.File("zip")
	if name != "github.com/!burnt!sushi/toml/@v/v1.3.2-!r!c1.zip" || v.Directory() != "github.com/!burnt!sushi/toml@v1.3.2-!r!c1" {
		t.Error(name, v.Directory())
	}
	if back, err := FromFile(name); err != nil || back != v {
		t.Error(back, err)
	}
	for _, bad := range []string{
		"a", "example.com/a/v1.0.0.zip", "example.com/A/@v/v1.0.0.zip", "example.com/!!a/@v/v1.0.0.zip", "example.com/a!/@v/v1.0.0.zip",
		"example.com/a/@v/list", "../example.com/a/@v/v1.0.0.zip", "example.com/a/@v/../v1.0.0.zip",
	} {
		if v, err := FromFile(bad); err == nil {
			t.Errorf("%q is taken for %v", bad, v)
		}
	}
}
