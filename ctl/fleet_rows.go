package ctl

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// onMember separates a member from the ID of a server that it has: gpu2/vllm. No ID has it.
const onMember = "/"

// isRemote reports whether a word names another machine's server.
func isRemote(word string) bool { return strings.Contains(word, onMember) }

// remoteRows are the servers of other machines as rows, by machine. Their IDs begin with the
// machine, and so do their hints, which are for somebody there. Times are by the reply's clock.
func remoteRows(reply *provider.FleetReply) (rows []provider.Status) {
	for i := range reply.Hosts {
		host := &reply.Hosts[i]
		for j := range host.Providers {
			rows = append(rows, remoteRow(host.Member, &host.Providers[j], reply.TS.Time, reply.Mode == provider.FleetOK))
		}
	}
	return rows
}

func remoteRow(member string, r *provider.FleetRow, now time.Time, current bool) provider.Status {
	s := provider.Status{
		ID: member + onMember + r.ID, Kind: r.Kind, Type: r.Type, State: r.State, Reason: r.Reason, Version: r.Version,
		Endpoint: r.Endpoint, Client: withoutKey(r.Client), LatencyMS: r.LatencyMS, AgeMS: r.CheckedMS,
		ModelsCount: r.ModelsCount, LoadedModels: r.LoadedModels, Source: provider.FromFleet, By: &member, Stale: !current,
	}
	if r.CheckedMS != nil {
		s.CheckedAt = provider.Time{Time: now.Add(-time.Duration(*r.CheckedMS) * time.Millisecond)}
	}
	if r.RetryInMS > 0 {
		s.RetryAt = provider.Time{Time: now.Add(time.Duration(r.RetryInMS) * time.Millisecond)}
	}
	if r.Hint != "" {
		s.Hint = "on " + member + ": " + r.Hint
	}
	return s
}

// accordingTo says which member a row comes from; it is empty for a row of this machine.
func accordingTo(s *provider.Status) string {
	if s.By == nil || *s.By == "" {
		return ""
	}
	return "according to " + *s.By
}

// attributed begins a text about a row with the member that it comes from, unless the text or the
// row's ID names it.
func attributed(s *provider.Status, text string) string {
	member := accordingTo(s)
	if member == "" || isRemote(s.ID) || strings.Contains(text, member) {
		return text
	}
	return strings.TrimSuffix(member+"; "+text, "; ")
}

// withoutKey is how programs reach another machine's server. Whatever that machine says, it is
// sent no key of this one.
func withoutKey(c *provider.Client) *provider.Client {
	if c == nil {
		return nil
	}
	return &provider.Client{OpenAIBaseURL: c.OpenAIBaseURL, Env: c.Env, Needs: c.Needs}
}

// reachesHere reports whether an address of another machine can mean that machine here: it is a
// plain URL, and not of this machine itself.
func reachesHere(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return !ip.IsLoopback() && !ip.IsUnspecified() && !ip.IsMulticast()
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	numeric := last != "" && last[0] >= '0' && last[0] <= '9' && strings.Trim(last, "0123456789abcdefx") == "" // 127.1 and 0x7f000001 are addresses too
	return host != "" && !numeric && host != "localhost" && !strings.HasSuffix(host, ".localhost")
}

// remoteLists reports whether another machine's server lists a model, and whether its list is
// known in full.
func remoteLists(reply *provider.FleetReply, id, model string) (lists, known bool) {
	r := remoteServer(reply, id)
	if r == nil {
		return false, false
	}
	return provider.Lists(r.Kind, modelsIn(r), model), r.ModelsCount != nil && *r.ModelsCount == len(r.Models)
}

// remoteModels are the models that another machine's server is known to list.
func remoteModels(reply *provider.FleetReply, id string) []provider.Model {
	if r := remoteServer(reply, id); r != nil {
		return modelsIn(r)
	}
	return nil
}

// remoteServer is what is known of another machine's server; nil: nothing.
func remoteServer(reply *provider.FleetReply, id string) *provider.FleetRow {
	member, id, _ := strings.Cut(id, onMember)
	for i := range reply.Hosts {
		for j := range reply.Hosts[i].Providers {
			if r := &reply.Hosts[i].Providers[j]; reply.Hosts[i].Member == member && r.ID == id {
				return r
			}
		}
	}
	return nil
}

func modelsIn(r *provider.FleetRow) []provider.Model {
	models := make([]provider.Model, len(r.Models))
	for k, name := range r.Models {
		models[k].ID = name
	}
	return models
}

// split separates the IDs of this machine's providers from those of other machines' servers.
func split(ids []string) (own, remote []string) {
	for _, id := range ids {
		if isRemote(id) {
			remote = append(remote, id)
		} else {
			own = append(own, id)
		}
	}
	return own, remote
}

// chosenRows are those of the rows that the IDs name, or all without IDs. It fails if one names
// none.
func chosenRows(rows []provider.Status, ids []string) ([]provider.Status, error) {
	if len(ids) == 0 {
		return rows, nil
	}
	known := idsOf(rows)
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return nil, matchesNone(id, known)
		}
	}
	return inOrder(rows, ids), nil
}
