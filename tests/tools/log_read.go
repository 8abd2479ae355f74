// Reads a log as anybody can: files under a directory, golang.org/x/mod/sumdb/{note,tlog}.
//
//	log_read DIR < what log_make printed
//	log_read DIR any < the same claims about a log of other entries
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(ok bool, format string, args ...interface{}) {
	if !ok {
		must(fmt.Errorf(format, args...))
	}
}

// Tiles of height 8, whose paths C2SP writes without the height.
type files struct{ dir string }

func (f files) Height() int                               { return 8 }
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.dir, path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// The entries, from bundles: their paths are those of tiles of level 0.
func entries(dir string, size int64) (all [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		w := int(size - n*256)
		if w > 256 {
			w = 256
		}
		path := strings.Replace(tlog.Tile{H: 8, L: 0, N: n, W: w}.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, path))
		must(err)
		for i := 0; i < w; i++ {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
		check(len(data) == 0, "%s: %d bytes too many", path, len(data))
	}
	return all
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	must(err)
	return n
}

func hashes(words []string) (out []tlog.Hash) {
	for _, w := range words {
		data, err := base64.StdEncoding.DecodeString(w)
		must(err)
		check(len(data) == tlog.HashSize, "a hash of %d bytes", len(data))
		var h tlog.Hash
		copy(h[:], data)
		out = append(out, h)
	}
	return out
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, s[i])
	}
	return out, nil
}

func main() {
	dir := os.Args[1]
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	in.Scan()
	verifier, err := note.NewVerifier(strings.TrimPrefix(in.Text(), "vkey "))
	must(err)
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	check(lines[0] == verifier.Name(), "origin %q, signer %q", lines[0], verifier.Name())
	size := number(lines[1])
	root := hashes(lines[2:3])[0]
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, files{dir})

	// The tree made anew from the entries.
	all := entries(dir, size)
	var own stored
	leaves := make([]tlog.Hash, size)
	for i, entry := range all {
		check(len(os.Args) > 2 || bytes.HasPrefix(entry, []byte(fmt.Sprintf("entry %d\n", i))), "entry %d is %q", i, entry)
		leaves[i] = tlog.RecordHash(entry)
		more, err := tlog.StoredHashes(int64(i), entry, own)
		must(err)
		own = append(own, more...)
	}
	step := size/3000 + 1
	roots := map[int64]tlog.Hash{}
	for n := int64(1); n <= size; n++ {
		want, err := tlog.TreeHash(n, own)
		must(err)
		roots[n] = want
		if n%step != 0 && n != size {
			continue
		}
		got, err := tlog.TreeHash(n, reader)
		must(err)
		check(got == want, "root of %d from tiles differs", n)
		proof, err := tlog.ProveRecord(size, n-1, reader)
		must(err)
		must(tlog.CheckRecord(proof, size, root, n-1, leaves[n-1]))
		tree, err := tlog.ProveTree(size, n, reader)
		must(err)
		must(tlog.CheckTree(tree, size, root, n, want))
	}
	check(roots[size] == root, "the signed root is not that of the entries")

	// What the maker claims.
	claims := 0
	for in.Scan() {
		w := strings.Fields(in.Text())
		switch w[0] {
		case "root":
			check(hashes(w[2:])[0] == roots[number(w[1])], "root of %s", w[1])
		case "inclusion":
			i, n := number(w[1]), number(w[2])
			must(tlog.CheckRecord(tlog.RecordProof(hashes(w[3:])), n, roots[n], i, leaves[i]))
		case "consistency":
			old, n := number(w[1]), number(w[2])
			must(tlog.CheckTree(tlog.TreeProof(hashes(w[3:])), n, roots[n], old, roots[old]))
		}
		claims++
	}
	check(claims > 2, "only %d claims", claims)
	fmt.Printf("%d entries, %d sizes read from tiles, %d roots and proofs of ours: all agree\n", size, (size+step-1)/step, claims)
}
