// Command reference verifies bundles with the library that cosign verifies them with, as cosign calls it, and says how long
// that takes.
//
// A line is {"name", "bundle", "digest": hex, "root": trusted_root.json or null, "key": PEM or "", "hash": "sha256"|"sha384"|
// "sha512", "log": bool, "timestamp": bool, "issuer", "subject"}. The answer is one line, in order: {"name", "nanoseconds":
// the mean of `-times` verifications, of the bundle's bytes to the verdict} or {"name", "refused": "…"}. Keys and trust root
// are read once, as the other side does.
package main

import (
	"bufio"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

type question struct {
	Name      string          `json:"name"`
	Bundle    json.RawMessage `json:"bundle"`
	Digest    string          `json:"digest"`
	Root      json.RawMessage `json:"root"`
	Key       string          `json:"key"`
	Hash      string          `json:"hash"`
	Log       bool            `json:"log"`
	Timestamp bool            `json:"timestamp"`
	Issuer    string          `json:"issuer"`
	Subject   string          `json:"subject"`
}

type answer struct {
	Name        string `json:"name"`
	Nanoseconds int64  `json:"nanoseconds,omitempty"`
	Refused     string `json:"refused,omitempty"`
}

// material is a trust root whose keys are one key, whatever a bundle calls it.
type material struct {
	root.TrustedMaterial
	keys root.TrustedMaterial
}

func (m *material) PublicKeyVerifier(hint string) (root.TimeConstrainedVerifier, error) {
	return m.keys.PublicKeyVerifier(hint)
}

func main() {
	times := flag.Int("times", 200, "how often each is verified")
	flag.Parse()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, "reference:", err)
			os.Exit(2)
		}
		took, err := measured(&q, *times)
		if err != nil {
			out.Encode(answer{Name: q.Name, Refused: err.Error()})
		} else {
			out.Encode(answer{Name: q.Name, Nanoseconds: took.Nanoseconds()})
		}
	}
}

func measured(q *question, times int) (time.Duration, error) {
	trusted, options, policies, err := prepared(q)
	if err != nil {
		return 0, err
	}
	verifier, err := verify.NewVerifier(trusted, options...)
	if err != nil {
		return 0, err
	}
	digest, err := hex.DecodeString(q.Digest)
	if err != nil {
		return 0, err
	}
	policy := verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), policies...)
	once := func() error {
		var b bundle.Bundle
		if err := b.UnmarshalJSON(q.Bundle); err != nil {
			return err
		}
		_, err := verifier.Verify(&b, policy)
		return err
	}
	if err := once(); err != nil {
		return 0, err
	}
	began := time.Now()
	for range times {
		if err := once(); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / time.Duration(times), nil
}

// prepared is what cosign makes of its flags (CheckOpts.verificationOptions).
func prepared(q *question) (root.TrustedMaterial, []verify.VerifierOption, []verify.PolicyOption, error) {
	m := &material{TrustedMaterial: &root.BaseTrustedMaterial{}, keys: &root.BaseTrustedMaterial{}}
	if len(q.Root) > 0 && string(q.Root) != "null" {
		trusted, err := root.NewTrustedRootFromJSON(q.Root)
		if err != nil {
			return nil, nil, nil, err
		}
		m.TrustedMaterial = trusted
	}
	var options []verify.VerifierOption
	var policies []verify.PolicyOption
	if q.Key != "" {
		key, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(q.Key))
		if err != nil {
			return nil, nil, nil, err
		}
		hash := map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[q.Hash]
		verifier, err := signature.LoadVerifier(key, hash)
		if err != nil {
			return nil, nil, nil, err
		}
		expiring := root.NewExpiringKey(verifier, time.Time{}, time.Time{})
		m.keys = root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return expiring, nil })
		policies = append(policies, verify.WithKey())
	} else {
		identity, err := verify.NewShortCertificateIdentity(q.Issuer, "", q.Subject, "")
		if err != nil {
			return nil, nil, nil, err
		}
		policies = append(policies, verify.WithCertificateIdentity(identity))
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	if q.Log {
		options = append(options, verify.WithTransparencyLog(1))
	}
	switch {
	case q.Timestamp:
		options = append(options, verify.WithSignedTimestamps(1))
	case q.Key != "":
		options = append(options, verify.WithNoObserverTimestamps())
	default:
		options = append(options, verify.WithIntegratedTimestamps(1))
	}
	return m, options, policies, nil
}
