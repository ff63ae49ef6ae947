// Command batch asks OPA for the value of one rule a line. It speaks the protocol of `meshgate eval --batch`, so that a
// test can hold the two against each other.
//
// A line is {"modules": {name: text}, "input", "data", "query", "v0"?, "strict"?}: query is a rule's path such as
// data.a.b; an absent input is undefined, a null one is null; strict makes an error of a builtin one of the evaluation.
// With "repeat": n the query, prepared once, is evaluated n times more, and the answer has what they took together as
// "nanoseconds", the conversion of the input included: `meshgate eval --batch` has no such member.
// The answer is one line, in order: {"result": …}, {"undefined": true}, {"refused": "…"} where a module does not compile,
// {"error": "…"} where the evaluation failed, or the line is not such an object.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

// No line takes longer, whatever its modules do.
const limit = 2 * time.Second

type question struct {
	Modules map[string]string `json:"modules"`
	Input   json.RawMessage   `json:"input"`
	Data    map[string]any    `json:"data"`
	Query   string            `json:"query"`
	V0      bool              `json:"v0"`
	Strict  bool              `json:"strict"`
	Repeat  int               `json:"repeat"`
}

// One of the members is set.
type answer struct {
	Result    any    `json:"result,omitempty"`
	Undefined bool   `json:"undefined,omitempty"`
	Error     string `json:"error,omitempty"`
	Refused   string `json:"refused,omitempty"`
	// Of the repetitions.
	Nanoseconds int64 `json:"nanoseconds,omitempty"`
}

// A result that is false, 0 or null is still one: it must not be left out as an empty member.
type value struct{ of any }

func (v value) MarshalJSON() ([]byte, error) { return encode(v.of) }

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "opa-batch:", err)
		os.Exit(2)
	}
}

func run(from io.Reader, to io.Writer) error {
	reader, writer := bufio.NewReader(from), bufio.NewWriter(to)
	for {
		line, err := reader.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			text, err := encode(inTime(line))
			if err != nil {
				return err
			}
			writer.Write(append(text, '\n'))
		}
		// Whoever asks line by line gets the answer now; a file is answered in large pieces.
		if err != nil || reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// The answer, or an error at the limit: evaluation stops at the deadline, and a compiler that does not is left behind.
func inTime(line []byte) answer {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				answers <- answer{Error: fmt.Sprint("panic: ", fault)}
			}
		}()
		answers <- respond(ctx, line)
	}()
	select {
	case given := <-answers:
		return given
	case <-time.After(limit + limit/4):
		return answer{Error: fmt.Sprintf("no answer within %v", limit)}
	}
}

func respond(ctx context.Context, line []byte) answer {
	var asked question
	decoder := util.NewJSONDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return answer{Error: "not a question: " + err.Error()}
	}
	if decoder.More() || asked.Modules == nil || asked.Query == "" {
		return answer{Error: "not a question: one object with modules and query is expected"}
	}
	input, err := inputOf(asked)
	if err != nil {
		return answer{Error: "not a question: " + err.Error()}
	}
	prepared, err := prepare(ctx, asked)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	results, err := prepared.Eval(ctx, input...)
	switch {
	case err != nil:
		return answer{Error: err.Error()}
	case len(results) == 0:
		return answer{Undefined: true}
	}
	given := answer{Result: value{results[0].Expressions[0].Value}}
	if asked.Repeat > 0 {
		given.Nanoseconds, err = repeated(ctx, asked, prepared)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return given
}

// What a webhook does with each request: the input, read as JSON already, is converted and the query evaluated.
func repeated(ctx context.Context, asked question, prepared rego.PreparedEvalQuery) (int64, error) {
	var input any
	if err := util.UnmarshalJSON(asked.Input, &input); err != nil {
		return 0, err
	}
	started := time.Now()
	for range asked.Repeat {
		if _, err := prepared.Eval(ctx, rego.EvalInput(input)); err != nil {
			return 0, err
		}
	}
	return time.Since(started).Nanoseconds(), nil
}

// The input, read with its numbers as they are written.
func inputOf(asked question) ([]rego.EvalOption, error) {
	if asked.Input == nil {
		return nil, nil
	}
	parsed, err := ast.ValueFromReader(bytes.NewReader(asked.Input))
	if err != nil {
		return nil, err
	}
	return []rego.EvalOption{rego.EvalParsedInput(parsed)}, nil
}

func prepare(ctx context.Context, asked question) (rego.PreparedEvalQuery, error) {
	version := ast.RegoV1
	if asked.V0 {
		version = ast.RegoV0
	}
	data := asked.Data
	if data == nil {
		data = map[string]any{}
	}
	options := []func(*rego.Rego){
		rego.Query(asked.Query),
		rego.SetRegoVersion(version),
		rego.StrictBuiltinErrors(asked.Strict),
		rego.Store(inmem.NewFromObject(data)),
	}
	names := make([]string, 0, len(asked.Modules))
	for name := range asked.Modules {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		options = append(options, rego.Module(name, asked.Modules[name]))
	}
	return rego.New(options...).PrepareForEval(ctx)
}

// JSON in one line, without the escapes that are only for HTML.
func encode(of any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(of); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
