package ctl

import (
	"context"
	"fmt"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) notifyCommand() *command.Command {
	cmd := &command.Command{
		Use:        "notify",
		Short:      "Show who gets messages, send a test, and retry or drop undelivered messages",
		SuggestFor: []string{"notification", "notifications", "alert", "alerts"},
		Long: `See who is told of trouble, try whether messages arrive, and care for those that could
not be delivered. Each [[notify]] of the configuration is a sink: one way to tell
people.`,
	}
	cmd.AddCommand(
		a.notifyListCommand(), a.notifyTestCommand(),
		a.messagesCommand(&messagesWork{
			name: "retry", short: "Send messages again now", what: "all of them", done: "sent again now",
			none: "no message of %s waits or was given up",
			long: `Send messages again now: those that were given up, and those that wait for their next
try. Without a MESSAGE, all of the sink's. notify list shows them.`,
		}),
		a.messagesCommand(&messagesWork{
			name: "drop", short: "Drop messages that nobody needs any more", what: "those that were given up", done: "dropped",
			none: "no message of %s was given up",
			long: `Drop messages that nobody needs any more. Without a MESSAGE, those of the sink that
were given up; one that still waits must be named. notify list shows them.`,
		}),
	)
	return cmd
}

func (a *app) notifyTestCommand() *command.Command {
	cmd := &command.Command{
		Use:   "test SINK",
		Short: "Send a test message, and say whether the receiver accepted it",
		Long: `Send a test message, and wait until the receiver has accepted it. It exits 1 if that does
not happen within 30s, with what the receiver said. It delays no other message.`,
		Example:  "  providerctl notify test phone",
		Args:     args(1, 1),
		Complete: a.completeSinks(true),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(_ *command.Command, words []string) error {
		ctx := a.interruptible(true)
		if out.json() {
			return a.passThrough(ctx, client.NotifyRequest("test", words[0]))
		}
		if err := a.client.TestSink(ctx, words[0]); err != nil {
			return err
		}
		return a.print(words[0] + " accepted the test message")
	}
	return cmd
}

// A messagesWork is a command for messages of a sink.
type messagesWork struct {
	name, short, long string
	what              string // without messages
	done              string // past participle
	none              string // there is nothing to do
}

func (a *app) messagesCommand(w *messagesWork) *command.Command {
	cmd := &command.Command{
		Use:      w.name + " SINK [MESSAGE…]",
		Short:    w.short,
		Long:     w.long,
		Example:  "  providerctl notify " + w.name + " phone",
		Args:     args(1, -1),
		Complete: a.completeSinks(false),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, words []string) error {
		return a.onMessages(cmd.Context(), w, words[0], words[1:], out)
	}
	return cmd
}

func (a *app) onMessages(ctx context.Context, w *messagesWork, sink string, messages []string, out *format) error {
	if out.json() {
		return a.passThrough(ctx, client.NotifyRequest(w.name, sink, messages...))
	}
	work := a.client.RetryMessages
	if w.name == "drop" {
		work = a.client.DropMessages
	}
	n, err := work(ctx, sink, messages...)
	switch {
	case err != nil:
		return err
	case n == 0:
		a.say(w.none, sink)
		return nil
	}
	return a.print(fmt.Sprintf("%s: %s %s", sink, counted(n, "message"), w.done))
}

// counted is a number of things.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// completeSinks offers the sinks and, unless alone, after one its messages.
func (a *app) completeSinks(alone bool) command.CompletionFunc {
	return func(cmd *command.Command, words []string, _ string) (offers []string, _ command.Directive) {
		if alone && len(words) > 0 {
			return nil, command.NoFiles
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
		defer cancel()
		c := *a.client
		c.DialPatience, c.Passed = -1, nil
		reply, err := c.Notifications(ctx)
		if err != nil {
			return nil, command.NoFiles
		}
		for _, s := range reply.Sinks {
			switch {
			case len(words) == 0:
				offers = append(offers, command.Described(s.ID, s.Kind))
			case s.ID == words[0]:
				for _, m := range s.Messages {
					offers = append(offers, command.Described(m.ID, string(m.Type)+" "+strings.Join(m.About, " ")))
				}
			}
		}
		return offers, command.NoFiles
	}
}

func (a *app) notifyListCommand() *command.Command {
	cmd := &command.Command{
		Use:   "list",
		Short: "Show who is told, and which messages wait or were given up",
		Long: `Show each sink with how many messages it has accepted, how many wait, and how many were
given up, and below it those messages. It exits 0 also if there are such.`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if out.json() {
			return a.passThrough(cmd.Context(), client.Request{Path: client.NotifyPath})
		}
		reply, err := a.client.Notifications(cmd.Context())
		if err != nil {
			return err
		}
		if len(reply.Sinks) == 0 {
			a.explain(&provider.Error{Message: "nobody is told: the configuration has no [[notify]]", Hint: "see: man providerd.toml, or docs/notifications.md"})
			return nil
		}
		return a.writeSinks(reply)
	}
	return cmd
}
