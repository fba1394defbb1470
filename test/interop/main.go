// Command klosetclient is a plakar client in miniature, made of plakar's own
// modules: the Kloset library and its HTTP and local-folder connectors. Tests
// drive it against a running gateway, so that what they exercise is the code
// real clients run and not an imitation of it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A command runs with its positional arguments; the first, the store's
// location, has already gone into the client. What it returns is printed as
// JSON.
type command func(c *client, args []string) (any, error)

type commandSpec struct {
	name   string
	params string // positional arguments, the optional ones in brackets
	define func(flags *flag.FlagSet) command
}

var commandSpecs = []commandSpec{
	{"create", "LOCATION", createCommand},
	{"backup", "LOCATION DIR", backupCommand},
	{"list", "LOCATION", withoutFlags((*client).list)},
	{"check", "LOCATION [SNAPSHOT]", withoutFlags((*client).check)},
	{"restore", "LOCATION SNAPSHOT TARGETDIR", withoutFlags((*client).restore)},
	{"rm", "LOCATION SNAPSHOT", withoutFlags((*client).remove)},
	{"maintain", "LOCATION COUNT", withoutFlags((*client).maintain)},
	{"putlock", "LOCATION", putLockCommand},
	{"ls-objects", "LOCATION KIND", withoutFlags((*client).listObjects)},
	{"get", "LOCATION KIND MAC", getObjectCommand},
	{"put", "LOCATION KIND MAC FILE", withoutFlags((*client).putObject)},
	{"delete", "LOCATION KIND MAC", withoutFlags((*client).deleteObject)},
}

func withoutFlags(run command) func(*flag.FlagSet) command {
	return func(*flag.FlagSet) command { return run }
}

var errUsage = errors.New("usage")

func main() {
	result, err := run(os.Args[1:])
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, strings.TrimRight(err.Error(), "\n"))
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}

func run(argv []string) (any, error) {
	if len(argv) == 0 {
		return nil, usage()
	}
	i := slices.IndexFunc(commandSpecs, func(s commandSpec) bool { return s.name == argv[0] })
	if i < 0 {
		return nil, usage()
	}
	spec := commandSpecs[i]

	flags := flag.NewFlagSet(spec.name, flag.ContinueOnError)
	authToken := flags.String("auth-token", "", "bearer token to send with every request")
	timeout := flags.Duration("timeout", 0, "limit of each HTTP request, its body included")
	execute := spec.define(flags)
	args, err := parse(flags, argv[1:])
	if err != nil {
		return nil, errUsage // flags has explained it already
	}
	most := len(strings.Fields(spec.params))
	least := most - strings.Count(spec.params, "[")
	if len(args) < least || len(args) > most {
		return nil, usage()
	}

	limitRequests(*timeout)
	c, err := newClient(args[0], *authToken, os.Getenv("KLOSET_PASSPHRASE"))
	if err != nil {
		return nil, err
	}
	defer c.close()
	return execute(c, args[1:])
}

// parse accepts flags before, between and after the positional arguments,
// which it returns.
func parse(flags *flag.FlagSet, argv []string) ([]string, error) {
	var args []string
	for {
		if err := flags.Parse(argv); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return args, nil
		}
		args = append(args, flags.Arg(0))
		argv = flags.Args()[1:]
	}
}

func usage() error {
	fmt.Fprintln(os.Stderr, "usage:")
	for _, s := range commandSpecs {
		fmt.Fprintf(os.Stderr, "  klosetclient %s %s [flags]\n", s.name, s.params)
	}
	return errUsage
}
