// Command podsecurity asks the reference implementation of Pod Security admission what it has against Pods.
//
// A line is {"pod": object, "level": "baseline"|"restricted", "version": "latest"|"v1.N"}. The answer is one line, in
// order: {"violations": [{"reason", "detail"}]}, or {"refused": "…"} where an API server would not decode the Pod.
//
// A volume without a source is an emptyDir, as the API server has it before it asks; one whose source Kubernetes does
// not know is not.
//
// `podsecurity -bench N` reads one line and prints the nanoseconds that decoding and evaluating it takes, and that
// evaluating alone takes, the mean of N.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	kjson "sigs.k8s.io/json"
)

type question struct {
	Pod     json.RawMessage `json:"pod"`
	Level   string          `json:"level"`
	Version string          `json:"version"`
}

type violation struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// One of the members is set.
type answer struct {
	Violations *[]violation `json:"violations,omitempty"`
	Refused    string       `json:"refused,omitempty"`
}

func main() {
	bench := flag.Int("bench", 0, "how often to evaluate one line")
	flag.Parse()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err == nil && *bench > 0 {
		err = measure(evaluator, *bench)
	} else if err == nil {
		err = run(evaluator, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "podsecurity:", err)
		os.Exit(2)
	}
}

func run(evaluator policy.Evaluator, from io.Reader, to io.Writer) error {
	reader, writer := bufio.NewReader(from), bufio.NewWriter(to)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			given, err := respond(evaluator, line)
			if err != nil {
				return err
			}
			if err := encoder.Encode(given); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return writer.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func respond(evaluator policy.Evaluator, line []byte) (answer, error) {
	asked, version, err := read(line)
	if err != nil {
		return answer{}, err
	}
	pod, err := decode(asked.Pod)
	if err != nil {
		return answer{Refused: err.Error()}, nil
	}
	found := []violation{}
	for _, result := range evaluator.EvaluatePod(version, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			found = append(found, violation{result.ForbiddenReason, result.ForbiddenDetail})
		}
	}
	return answer{Violations: &found}, nil
}

func read(line []byte) (question, api.LevelVersion, error) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return asked, api.LevelVersion{}, err
	}
	level, err := api.ParseLevel(asked.Level)
	if err != nil {
		return asked, api.LevelVersion{}, err
	}
	version, err := api.ParseVersion(asked.Version)
	return asked, api.LevelVersion{Level: level, Version: version}, err
}

// As the API server decodes JSON.
func decode(raw []byte) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, pod); err != nil {
		return nil, err
	}
	var written struct {
		Spec struct {
			Volumes []map[string]any `json:"volumes"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		return nil, err
	}
	for i := range pod.Spec.Volumes {
		if !hasSource(written.Spec.Volumes[i]) {
			pod.Spec.Volumes[i].EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	return pod, nil
}

func hasSource(volume map[string]any) bool {
	for key, value := range volume {
		if key != "name" && value != nil {
			return true
		}
	}
	return false
}

func measure(evaluator policy.Evaluator, count int) error {
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	asked, version, err := read(line)
	if err != nil {
		return err
	}
	start := time.Now()
	for range count {
		pod, err := decode(asked.Pod)
		if err != nil {
			return err
		}
		evaluator.EvaluatePod(version, &pod.ObjectMeta, &pod.Spec)
	}
	both := time.Since(start)
	pod, err := decode(asked.Pod)
	if err != nil {
		return err
	}
	start = time.Now()
	for range count {
		evaluator.EvaluatePod(version, &pod.ObjectMeta, &pod.Spec)
	}
	fmt.Printf("decode and evaluate: %d ns, evaluate: %d ns\n", both.Nanoseconds()/int64(count), time.Since(start).Nanoseconds()/int64(count))
	return nil
}
