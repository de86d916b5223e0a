package sink

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// docs/notifications.md names every kind, variable, function and field that there is.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	section := func(title string) string {
		_, text, ok := strings.Cut(string(page), "# "+title+"\n")
		if !ok {
			t.Fatalf("no section %q", title)
		}
		text, _, _ = strings.Cut(text, "\n##")
		return text
	}
	want := func(title, text string) {
		if !strings.Contains(section(title), text) {
			t.Errorf("section %q does not name %s", title, text)
		}
	}
	for _, k := range config.NotifyKinds {
		want("Kinds", "`"+k.Name+"`")
	}
	for _, variable := range environment(&provider.Notice{}, "") {
		name, _, _ := strings.Cut(strings.TrimPrefix(variable, "PROVIDERD"), "=")
		if name == "_ID" {
			name = "PROVIDERD_ID"
		}
		want("The program", "`"+name+"`")
	}
	for name := range functions {
		want("Your own words", "`"+name+" ")
	}
	for _, kind := range []provider.NoticeType{provider.NoticeOpened, provider.NoticeClosed, provider.NoticeMerged, provider.NoticeDigest, provider.NoticeTest} {
		want("The webhook", "`"+string(kind)+"`")
	}
	for f := range reflect.TypeFor[provider.Notice]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if text := section("The webhook"); !strings.Contains(text, `"`+name+`"`) && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the webhook's field %s is not documented", name)
		}
	}
}
