// Command inject asks Istio's own code for injections, many of them in one process.
//
// A line is {"config", "values", "mesh", "manifest"}: the texts of the ConfigMaps' keys, and a manifest of YAML that is
// injected as `istioctl kube-inject` does it; or, with "review" for the manifest, an AdmissionReview that is answered as
// the webhook of istiod answers it. The answer is one line, in order: {"manifest": text}, {"object": the Pod with the
// patch applied}, or {"refused": "…"}. Whether sidecars are init containers is what ENABLE_NATIVE_SIDECARS says: true or
// false.
//
// `inject -bench N` reads one line with a review and prints the nanoseconds from its bytes to the answer's, the mean of
// N.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	corev1 "k8s.io/api/core/v1"

	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/mesh/meshwatcher"
	"istio.io/istio/pkg/kube/inject"
	"istio.io/istio/pkg/kube/multicluster"
	"istio.io/istio/pkg/log"
)

type question struct {
	Config   string          `json:"config"`
	Values   string          `json:"values"`
	Mesh     string          `json:"mesh"`
	Manifest *string         `json:"manifest"`
	Review   json.RawMessage `json:"review"`
}

// One of the members is set.
type answer struct {
	Manifest string          `json:"manifest,omitempty"`
	Object   json.RawMessage `json:"object,omitempty"`
	Refused  string          `json:"refused,omitempty"`
}

func main() {
	bench := flag.Int("bench", 0, "how often the first line is asked")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *bench); err != nil {
		fmt.Fprintln(os.Stderr, "inject:", err)
		os.Exit(2)
	}
}

func run(from io.Reader, to io.Writer, bench int) error {
	// What is logged is no answer.
	options := log.DefaultOptions()
	options.SetDefaultOutputLevel(log.OverrideScopeName, log.NoneLevel)
	options.OutputPaths = []string{"stderr"}
	if err := log.Configure(options); err != nil {
		return err
	}
	switch features.EnableNativeSidecars {
	case features.NativeSidecarModeEnabled, features.NativeSidecarModeDisabled:
	default:
		return errors.New("ENABLE_NATIVE_SIDECARS is neither true nor false: which nodes there are is not known here")
	}
	reader, writer := bufio.NewReader(from), bufio.NewWriter(to)
	webhooks := map[[3]string]http.Handler{}
	for {
		line, err := reader.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if bench > 0 {
				return measured(line, bench, to)
			}
			text, err := json.Marshal(answered(line, webhooks))
			if err != nil {
				return err
			}
			writer.Write(append(text, '\n'))
		}
		if err != nil || reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func answered(line []byte, webhooks map[[3]string]http.Handler) (given answer) {
	// A panic of the injector's is caught by the server that it runs in; it is no injection.
	defer func() {
		if fault := recover(); fault != nil {
			given = answer{Refused: fmt.Sprint("panic: ", fault)}
		}
	}()
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Refused: "the line: " + err.Error()}
	}
	if asked.Manifest != nil {
		text, err := kubeInject(asked)
		if err != nil {
			return answer{Refused: err.Error()}
		}
		return answer{Manifest: text}
	}
	key := [3]string{asked.Config, asked.Values, asked.Mesh}
	if webhooks[key] == nil {
		handler, err := webhook(asked)
		if err != nil {
			return answer{Refused: err.Error()}
		}
		webhooks[key] = handler
	}
	object, err := patched(asked.Review, served(webhooks[key], asked.Review))
	if err != nil {
		return answer{Refused: err.Error()}
	}
	return answer{Object: object}
}

// As the command does it, once it has read its files.
func kubeInject(asked question) (string, error) {
	config, err := inject.UnmarshalConfig([]byte(asked.Config))
	if err != nil {
		return "", err
	}
	values, err := inject.NewValuesConfig(asked.Values)
	if err != nil {
		return "", err
	}
	own, err := mesh.ApplyMeshConfigDefaults(asked.Mesh)
	if err != nil {
		return "", err
	}
	var written bytes.Buffer
	err = inject.IntoResourceFile(
		nil, config.Templates, values, "", own, bytes.NewBufferString(*asked.Manifest), &written, func(string) {})
	return written.String(), err
}

type fixed struct {
	config *inject.Config
	values string
}

func (f fixed) SetHandler(func(*inject.Config, string) error) {}
func (f fixed) Run(<-chan struct{})                           {}
func (f fixed) Get() (*inject.Config, string, error)          { return f.config, f.values, nil }

// The webhook of an istiod that has read these texts.
func webhook(asked question) (http.Handler, error) {
	config, err := inject.UnmarshalConfig([]byte(asked.Config))
	if err != nil {
		return nil, err
	}
	own, err := mesh.ApplyMeshConfigDefaults(asked.Mesh)
	if err != nil {
		return nil, err
	}
	env := &model.Environment{Watcher: meshwatcher.NewTestWatcher(own)}
	env.SetPushContext(&model.PushContext{ProxyConfigs: &model.ProxyConfigs{}})
	mux := http.NewServeMux()
	_, err = inject.NewWebhook(inject.WebhookParameters{
		Watcher:      fixed{&config, asked.Values},
		Env:          env,
		Mux:          mux,
		Revision:     "default",
		MultiCluster: multicluster.NewFakeController(),
	})
	return mux, err
}

// The bytes of the answer to a review.
func served(handler http.Handler, review []byte) []byte {
	request := httptest.NewRequest(http.MethodPost, "/inject", bytes.NewReader(review))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Body.Bytes()
}

func patched(review, body []byte) (json.RawMessage, error) {
	var asked struct {
		Request struct{ Object json.RawMessage }
	}
	var given struct {
		Response *struct {
			Allowed bool
			Patch   []byte
			Status  *struct{ Message string }
		}
	}
	if err := json.Unmarshal(review, &asked); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &given); err != nil || given.Response == nil {
		return nil, fmt.Errorf("no answer: %s", body)
	}
	if !given.Response.Allowed {
		if given.Response.Status == nil {
			return nil, errors.New("denied")
		}
		return nil, errors.New(given.Response.Status.Message)
	}
	// The patch is for the Pod as an API server describes it, with `resources: {}` in each container.
	var pod corev1.Pod
	if err := json.Unmarshal(asked.Request.Object, &pod); err != nil {
		return nil, err
	}
	object, err := json.Marshal(&pod)
	if err != nil || len(given.Response.Patch) == 0 {
		return object, err
	}
	patch, err := jsonpatch.DecodePatch(given.Response.Patch)
	if err != nil {
		return nil, err
	}
	return patch.Apply(object)
}

func measured(line []byte, times int, to io.Writer) error {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return err
	}
	handler, err := webhook(asked)
	if err != nil {
		return err
	}
	// Once, so that all is warm, and to see that it injects.
	if _, err := patched(asked.Review, served(handler, asked.Review)); err != nil {
		return err
	}
	begun := time.Now()
	for range times {
		served(handler, asked.Review)
	}
	_, err = fmt.Fprintln(to, time.Since(begun).Nanoseconds()/int64(times))
	return err
}
