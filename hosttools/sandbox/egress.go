package main

import "gofleet/sandbox/internal/egress"

func init() {
	commands = append(commands, command{
		"egress", "", "as root: look up the names that jobs may reach, for the firewall", configCommand(egress.Refresh), nil,
	})
}
