package link

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// NonceBytes is the size of the nonce in HELLO.
const NonceBytes = 32

// ParsePublicKey reads base64 SPKI DER, the form of KAPPA_GATEWAY_PUBLIC_KEY. Anything but Ed25519 is an error.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("gateway key is not base64: %w", err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("gateway key is not SPKI: %w", err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("gateway key is not Ed25519")
	}
	return public, nil
}

// SignedText is what the gateway signs: nonce is the base64 text of HELLO.
func SignedText(nonce, podUID, gatewayID string, epoch uint64) []byte {
	return []byte("kappa-link\n" + nonce + "\n" + podUID + "\n" + gatewayID + "\n" + strconv.FormatUint(epoch, 10))
}

// checkAuth decides about the AUTH frame that answers hello. It fails closed; nil means that the gateway is accepted.
func checkAuth(auth Auth, hello Hello, key ed25519.PublicKey) *Refusal {
	if auth.Protocol < hello.OldestProtocol || auth.Protocol > hello.Protocol {
		return Refuse(UnsupportedProtocol, fmt.Sprintf("protocol %d is not spoken, %d to %d are", auth.Protocol, hello.OldestProtocol, hello.Protocol))
	}
	if auth.PodUID != hello.PodUID {
		return Refuse(WrongPod, "this is not the pod that the gateway means")
	}
	signature, err := base64.StdEncoding.DecodeString(auth.Signature)
	if err != nil || strings.ContainsRune(auth.GatewayID, '\n') {
		return Refuse(BadSignature, "the signature is malformed")
	}
	if !ed25519.Verify(key, SignedText(hello.Nonce, hello.PodUID, auth.GatewayID, auth.Epoch), signature) {
		return Refuse(BadSignature, "the signature is not of this install's key")
	}
	return nil
}
