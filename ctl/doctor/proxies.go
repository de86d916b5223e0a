package doctor

import (
	"slices"
	"strings"
)

// proxies compares the daemon's with the caller's, and looks at what each is.
func proxies(f *Facts) (all []Finding) {
	const subject = "proxies"
	if f.Info != nil && f.Info.Setup != nil {
		its := f.Info.Setup.Proxies
		all = append(all, odd(its, "the daemon's ", f.variableFix())...)
		for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY"} {
			switch mine := f.Proxies[name]; {
			case mine == its[name]:
			case its[name] == "":
				all = append(all, one(subject, Warn, "your "+name+" is "+mine+", and the daemon has none: it connects to the vendors directly", f.variableFix()...)...)
			case mine == "":
				all = append(all, one(subject, OK, "the daemon's "+name+" is "+its[name]+", and you have none")...)
			default:
				all = append(all, one(subject, Warn, "your "+name+" is "+mine+", and the daemon's "+its[name], f.variableFix()...)...)
			}
		}
	}
	all = append(all, odd(f.Proxies, "your ", []string{"set it again in your shell"})...)
	rest := ""
	if f.Proxies["NO_PROXY"] != "" {
		rest = `"${NO_PROXY:-$no_proxy}",`
	}
	if f.Proxies["HTTP_PROXY"] != "" && !exceptsLoopback(f.Proxies["NO_PROXY"]) {
		all = append(all, one(subject, Warn, "your NO_PROXY does not name this machine: other programs, though not the daemon, ask your local servers through the proxy",
			"export NO_PROXY="+rest+"localhost,127.0.0.1,::1")...)
	}
	switch {
	case len(all) > 0:
		return all
	case len(f.Proxies) > 0:
		return one(subject, OK, "the same for the daemon and for you, as far as is known")
	}
	return one(subject, OK, "none")
}

// variableFix is how the daemon gets another environment.
func (f *Facts) variableFix() []string {
	switch {
	case f.system() && f.isService():
		return []string{"set it for the daemon: sudoedit /etc/providerd/environment", "then: " + f.restart()}
	case f.isService():
		return []string{"set it for the daemon: systemctl --user import-environment HTTP_PROXY HTTPS_PROXY NO_PROXY", "then: " + f.restart()}
	}
	return []string{"set it where providerd is started", "then: " + f.restart()}
}

// odd finds values that no program, or only some, can use.
func odd(set map[string]string, whose string, fix []string) (all []Finding) {
	if set["ALL_PROXY"] != "" && set["HTTPS_PROXY"] == "" {
		all = append(all, one("proxies", Warn, whose+"ALL_PROXY is not read by providerd: only HTTPS_PROXY and HTTP_PROXY are", fix...)...)
	}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY"} {
		scheme, _, found := strings.Cut(set[name], "://")
		if known := []string{"http", "https", "socks5", "socks5h"}; found && !slices.Contains(known, strings.ToLower(scheme)) {
			all = append(all, one("proxies", Fail, whose+name+" has an unknown scheme, "+scheme+"; use one of: "+strings.Join(known, ", "), fix...)...)
		}
	}
	return all
}

// exceptsLoopback reports whether NO_PROXY names this machine, as curl and most libraries
// read it.
func exceptsLoopback(list string) bool {
	names := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(names, "*") || slices.Contains(names, "localhost") && slices.ContainsFunc(names, func(name string) bool {
		return strings.HasPrefix(name, "127.")
	})
}
