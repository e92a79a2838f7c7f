package invoke

import (
	"os"
	"path/filepath"

	"kappa.dev/agent/environment"
	"kappa.dev/agent/link"
)

// roleTokenName is the file in the function's own folder for temporary files. Code that empties this folder by a pattern leaves it.
const roleTokenName = ".kappa-role-token"

func (e *Engine) roleTokenFile() string { return filepath.Join(e.Pod.TmpDir, roleTokenName) }

// takeRole puts the token of the function's role where its SDKs look for it; nil when it has no role.
func (e *Engine) takeRole(role *link.Role) (*environment.Role, error) {
	if role == nil {
		return nil, nil
	}
	if err := e.keepRoleToken(role.Token); err != nil {
		return nil, err
	}
	return &environment.Role{Arn: role.Arn, TokenFile: e.roleTokenFile(), StsURL: role.StsURL}, nil
}

// keepRoleToken replaces the file as a whole: an SDK may be reading it.
func (e *Engine) keepRoleToken(token string) error {
	file, err := os.CreateTemp(e.Pod.TmpDir, roleTokenName+"-*")
	if err != nil {
		return err
	}
	_, err = file.WriteString(token)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), e.roleTokenFile())
	}
	if err != nil {
		_ = os.Remove(file.Name()) // it may never have got its name
	}
	return err
}

// renewRoleToken takes a newer token. Without room for it the function goes on with the one it has.
func (e *Engine) renewRoleToken(token string) {
	if token == "" {
		return
	}
	if err := e.keepRoleToken(token); err != nil {
		e.Warn("the token of the function's role was not renewed: " + err.Error())
	}
}
