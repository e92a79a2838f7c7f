package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kappa.dev/agent/link"
)

// tokenOf reads what the function's SDKs would read.
func (p *pod) tokenOf(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (p *pod) tokenFile() string {
	return filepath.Join(filepath.Dir(p.task), "tmp", ".kappa-role-token")
}

func TestAFunctionIsGivenItsRole(t *testing.T) {
	role := &link.Role{Arn: "arn:aws:iam::000000000000:role/r", Token: "first", StsURL: "http://kappa"}
	p, gateway := claimed(t, function("index.env", func(head *link.Specialize) { head.Role = role }))
	var list []string
	if err := json.Unmarshal(call(t, gateway, "{}").Payload, &list); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_ROLE_ARN=" + role.Arn, "AWS_WEB_IDENTITY_TOKEN_FILE=" + p.tokenFile(), "AWS_ROLE_SESSION_NAME=my-function",
		"AWS_ENDPOINT_URL_STS=http://kappa",
	} {
		if !slices.Contains(list, want) {
			t.Errorf("no %s in %v", want, list)
		}
	}
	if token := p.tokenOf(t); token != "first" {
		t.Error(token)
	}
	head := requestHead()
	head.RoleToken = "second"
	callWith(t, gateway, head, "{}")
	if token := p.tokenOf(t); token != "second" {
		t.Error(token)
	}
	if left, err := filepath.Glob(p.tokenFile() + "-*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestAUsersOwnRoleIsLeftAlone(t *testing.T) {
	role := &link.Role{Arn: "arn:aws:iam::000000000000:role/r", Token: "first", StsURL: "http://kappa"}
	_, gateway := claimed(t, function("index.env", func(head *link.Specialize) {
		head.Role = role
		head.Environment = map[string]string{"AWS_ROLE_ARN": "mine"}
	}))
	var list []string
	if err := json.Unmarshal(call(t, gateway, "{}").Payload, &list); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(list, "AWS_ROLE_ARN=mine") || slices.Contains(list, "AWS_ENDPOINT_URL_STS=http://kappa") {
		t.Error(list)
	}
}
