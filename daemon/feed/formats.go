package feed

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/providerd/providerd/daemon/config"
)

// formats has a reader for each of [config.FeedFormats]. A reader fails if the document is
// not in its format; it leaves what is over out of the page.
var formats = map[string]func(body []byte) (*page, error){
	config.Statuspage:  readStatuspage,
	config.IncidentIO:  readIncidentIO,
	config.BetterStack: readBetterStack,
	config.Instatus:    readInstatus,
	config.GoogleCloud: readGoogleCloud,
	config.AWS:         readAWS,
	config.RSS:         readRSS,
}

// Read reads a document and returns what it says about the feed's components.
func Read(f *config.Feed, body []byte) (Reading, error) {
	p, err := parse(f.Format, body)
	if err != nil {
		return Reading{}, err
	}
	return p.read(f.Components, homeOf(f.URL)), nil
}

func parse(format string, body []byte) (*page, error) {
	read := formats[format]
	if read == nil {
		return nil, fmt.Errorf("unknown format %q", format)
	}
	body, err := plain(body)
	if err != nil {
		return nil, err
	}
	p, err := read(body)
	if err != nil {
		return nil, fmt.Errorf("no %s document: %w", format, err)
	}
	return p, nil
}

// decode reads JSON, all of it.
func decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("broken JSON at byte %d", syntax.Offset)
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is of type %s", cmp.Or(wrong.Field, "it"), wrong.Value)
	}
	return err
}
