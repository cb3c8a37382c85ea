// Package embedded holds the program rehearse, in releases of the module.
//
//	path, err := embedded.Binary()
package embedded

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"os"
	"path/filepath"
)

//go:embed bin
var files embed.FS

// Binary writes the program into the user's cache, if it is not there, and returns its path. It
// returns fs.ErrNotExist when the module has no copy.
func Binary() (string, error) {
	content, err := files.ReadFile("bin/rehearse")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(content)
	path := filepath.Join(cache, "rehearse", hex.EncodeToString(sum[:8]), "rehearse")
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) {
		return path, nil
	}
	return path, install(path, content)
}

// install writes the file under another name first: other processes may do the same.
func install(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "rehearse-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(file.Name(), 0o755)
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
