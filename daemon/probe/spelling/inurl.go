package spelling

import (
	"encoding/base64"
	"net/url"
)

// InURL are the secrets in a URL: the password, user and password as they go into a header
// and, without a password, the user, which can be a token.
func InURL(u *url.URL) []string {
	user := u.User.Username()
	password, _ := u.User.Password()
	if user == "" && password == "" {
		return nil
	}
	secrets := []string{base64.StdEncoding.EncodeToString([]byte(user + ":" + password)), password}
	if password == "" {
		secrets = append(secrets, user)
	}
	return secrets
}
