package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"gofleet/store/internal/transfer"
)

func (k *keeper) importSource(args []string) error {
	sums, err := transfer.ReadSums(k.sums)
	if err != nil {
		return err
	}
	unlock, err := k.open(true)
	if err != nil {
		return err
	}
	defer unlock()
	report, err := transfer.Import(k.c, k.known, args[0], sums, time.Now())
	if report != nil {
		// What is placed is remembered, also if the next version could not be.
		err = errors.Join(err, k.save())
	}
	if err != nil {
		return err
	}
	for _, each := range report.Refused {
		fmt.Fprintln(os.Stderr, "refused", each)
	}
	fmt.Printf("imported %d versions, %d with a go.mod alone, %d were there; %d B read\n",
		report.Imported, report.ModOnly, report.Present, report.Bytes)
	if len(report.Refused) > 0 {
		return fmt.Errorf("%d versions were refused", len(report.Refused))
	}
	return nil
}

func (k *keeper) export(args []string) error {
	unlock, err := k.open(true)
	if err != nil {
		return err
	}
	defer unlock()
	count, err := transfer.Export(k.c, k.known, args[0], args[1:])
	if err == nil {
		fmt.Printf("%s: %d files\n", args[0], count)
	}
	return err
}

func (k *keeper) forget(args []string) error {
	unlock, err := k.open(true)
	if err != nil {
		return err
	}
	defer unlock()
	for _, name := range args {
		if _, recorded := k.known.Versions[name]; !recorded {
			return fmt.Errorf("nothing is known of %q", name)
		}
		delete(k.known.Versions, name)
	}
	return k.known.Save()
}
