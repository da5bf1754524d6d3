package job

import (
	"fmt"
	"os/user"
	"strconv"
)

// account is a user as the kernel knows it.
type account struct{ uid, gid int }

func lookUp(name string) (account, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("user %q: %w; systemd-sysusers makes the sandbox's users", name, err)
	}
	uid, err1 := strconv.Atoi(found.Uid)
	gid, err2 := strconv.Atoi(found.Gid)
	if err1 != nil || err2 != nil || uid == 0 {
		return account{}, fmt.Errorf("user %q has uid %q and gid %q: a slot's user is an ordinary one", name, found.Uid, found.Gid)
	}
	return account{uid, gid}, nil
}
