package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"

	"github.com/providerd/providerd/store/home"
	"github.com/providerd/providerd/store/trust"
)

const (
	ownerName = "providerd.db.owner" // beside the database; package store writes it
	mostOwner = 64 << 10             // bytes, far more than it has
)

// recordedPlace is where the daemon that holds this user's database says that it listens.
// What another user has a say in is not read, except that root believes the user of the
// system's service about that service. The daemon may have ended since, and what
// is at the path is judged as it is at any other place. On Windows nobody else can read
// the file while the daemon runs.
func (c *Client) recordedPlace() place {
	if runtime.GOOS == "windows" {
		return place{}
	}
	path := filepath.Join(c.stateFolder(), ownerName)
	text, err := trust.ReadFile(path, mostOwner)
	var service uint32
	if err != nil && os.Geteuid() == 0 {
		text, service, err = readService(path, mostOwner)
	}
	if err != nil {
		return place{}
	}
	var owner struct {
		Socket string `json:"socket"`
	}
	if json.Unmarshal(text, &owner) != nil || !filepath.IsAbs(owner.Socket) {
		return place{}
	}
	return place{path: owner.Socket, service: service}
}

// stateFolder is where the daemon of whoever asks has its database, unless it was told
// another place; see DefaultStateDir in daemon/config.
func (c *Client) stateFolder() string {
	if os.Geteuid() == 0 {
		return "/var/lib/providerd"
	}
	if dir := c.getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, folderName)
	}
	if dir := home.Folder(c.getenv("HOME"), os.Getuid()); dir != "" {
		return filepath.Join(dir, ".local", "state", folderName)
	}
	dir, _ := c.temporaryFolder()
	return dir
}
