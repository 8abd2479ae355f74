/* Every limit on untrusted input, in one place, each with its reason. */
#ifndef TUT_BASE_LIMITS_H
#define TUT_BASE_LIMITS_H

/* Window over a large file: big enough that a system call costs nothing beside the bytes. */
#define TUT_LIMIT_WINDOW_BYTES (64u << 10)
/* Longest run of bytes that a stream shows at once; a pickled name or header key is far shorter. */
#define TUT_LIMIT_PEEK_BYTES (64u << 10)
/* Containers inside containers: real artefacts have three (tar of zip of gz); bombs have many. */
#define TUT_LIMIT_DEPTH 8u
/* Decoded bytes per artefact: above the largest single-file compressed model seen (20 GB) no
 * examination in one go makes sense. */
#define TUT_LIMIT_DECODED_BYTES (64ull << 30)
/* Opcodes, fields and members per artefact: 200 times the largest real pickle seen. */
#define TUT_LIMIT_STEPS (200ull << 20)
/* Working memory of one examination; a worker's address space is capped a little above. */
#define TUT_LIMIT_HEAP_BYTES (256ull << 20)
/* Vetting holds something of every row: of ten million documents 0.9 GB (`bench_near`). */
#define TUT_LIMIT_VET_HEAP_BYTES (2ull << 30)
/* A part of an artefact that is held in memory whole. */
#define TUT_LIMIT_MEMBER_BYTES (64ull << 20)
/* What comes out of a compressor and is read here and there is held in memory up to this, and above
 * in a scratch file without a name (where there is none: up to the line before). */
#define TUT_LIMIT_HELD_BYTES (16ull << 20)
#define TUT_LIMIT_SCRATCH_BYTES TUT_LIMIT_DECODED_BYTES
#define TUT_LIMIT_SCRATCHES 4096u /* of one file: as many as that comes to */
/* Zip members: PyTorch writes one per tensor; the largest models seen have under 50,000. */
#define TUT_LIMIT_ZIP_MEMBERS 262144u
/* Tar members: a layer of a container's image with a whole distribution has 100,000. */
#define TUT_LIMIT_TAR_MEMBERS (1u << 20)
/* A decoder that yields over this ratio after the first TUT_LIMIT_BOMB_BYTES is a bomb. */
#define TUT_LIMIT_BOMB_RATIO 100u
#define TUT_LIMIT_BOMB_BYTES (256ull << 20)
/* Window that a decompressor may ask for: xz -9 takes 65 MiB, zstd by default at most 128 MiB. */
#define TUT_LIMIT_CODEC_WINDOW_BYTES (128ull << 20)
/* npy header: NumPy refuses more than 10,000 bytes by default; wide tables have some more. */
#define TUT_LIMIT_NPY_HEADER (1u << 20)
/* Findings kept per file; the rest is counted. Nobody reads more, and memory stays bounded. */
#define TUT_LIMIT_FINDINGS 256u
#define TUT_LIMIT_FACTS 512u
#define TUT_LIMIT_FACT_BYTES 1024u
/* Files of one asset that an inventory lists by themselves: a sharded model has tens, an image set
 * may have a million, whose digest stands for them all. */
#define TUT_LIMIT_PARTS_SHOWN 10000u
/* Packages kept of one lock file, and of one asset: a whole operating system lists 3,000, the lock
 * file of a large monorepo 10,000. What is beyond is counted, and said. */
#define TUT_LIMIT_PACKAGES 20000u
/* JSON and YAML: deeper or larger than any configuration that people write. */
#define TUT_LIMIT_JSON_DEPTH 64u
/* Values in one document: 200,000 tensors in a header take 2 million. */
#define TUT_LIMIT_JSON_NODES (4u << 20)
#define TUT_LIMIT_JSON_BYTES (64u << 20)
#define TUT_LIMIT_YAML_BYTES (4u << 20)
#define TUT_LIMIT_YAML_DEPTH 32u
#define TUT_LIMIT_YAML_NODES 200000u
/* Chunks of a file whose list is kept: 64 GiB in the shortest chunks there are, 200 MB of list. */
#define TUT_LIMIT_CHUNKS (4u << 20)
/* A file of rules: gitleaks' own, with 222, has 98 kB. */
#define TUT_LIMIT_RULE_FILE_BYTES (4u << 20)
/* safetensors: the reference's own cap on its header. */
#define TUT_LIMIT_SAFETENSORS_HEADER 100000000u
/* A chat template: the longest in use are under 64 KiB. */
#define TUT_LIMIT_TEMPLATE_BYTES (1u << 20)
/* Pickle: values kept per stream; beyond, content is forgotten and values become unknown ones. Text
 * and containers stop at the lower line, so that calls and names still find room. */
#define TUT_LIMIT_PICKLE_HEAP_BYTES (176ull << 20)
#define TUT_LIMIT_PICKLE_CONTENT_BYTES (128ull << 20)
/* Bytes kept of one string: names and shell commands are shorter; arrays are not read. */
#define TUT_LIMIT_PICKLE_TEXT_BYTES 4096u
/* Items kept of one container: legacy torch lists one key per storage (see zip members). */
#define TUT_LIMIT_PICKLE_ITEMS 262144u
/* Open marks at once: a pickler recurses, and Python ends recursion at 1,000. */
#define TUT_LIMIT_PICKLE_MARKS 4096u
/* References that stand for so many values, and so many per byte, are a bomb for whoever walks
 * them. */
#define TUT_LIMIT_PICKLE_EXPANSION 100000000u
#define TUT_LIMIT_PICKLE_EXPANSION_RATIO 100000u
/* Python source that is looked through: the largest modules of frameworks have 60,000 lines; data
 * that is written as program text is not read to its end. */
#define TUT_LIMIT_PYTHON_BYTES (16u << 20)
#define TUT_LIMIT_PYTHON_TOKENS (2u << 20)
/* A length like this that is not there is a claim, not a cut-off file. */
#define TUT_LIMIT_PICKLE_CLAIM (1ull << 32)
/* Files below one described system; more is a misdirected walk (a home folder, a mount). */
#define TUT_LIMIT_WALK_FILES 1000000u
#define TUT_LIMIT_WALK_DEPTH 64u
/* One file of YARA rules: the largest public collections, as one file, have 10 MB. */
#define TUT_LIMIT_YARA_BYTES (32u << 20)
/* One reply of a worker. */
#define TUT_LIMIT_REPLY_BYTES (16u << 20)
/* Graphviz's dot: it draws a system of 300 components in a second, and one that it cannot draw in
 * 20 is no picture that anybody reads. What it writes of 1,000 components takes 2 MB. */
#define TUT_LIMIT_DOT_MS 20000u
#define TUT_LIMIT_DOT_BYTES (8u << 20)
#define TUT_LIMIT_DOT_HEAP_BYTES (2ull << 30)
/* The cage. Tasks under way or waiting for their turn of delivery: each holds two descriptors, and
 * the usual limit for a process is 1,024. */
#define TUT_LIMIT_CAGE_WINDOW 256u
/* Tasks sent ahead to one worker, so that it never waits for the parent; and their bytes, so that
 * large files spread over the workers. */
#define TUT_LIMIT_CAGE_AHEAD 8u
#define TUT_LIMIT_CAGE_AHEAD_BYTES (4u << 20)
/* Replies that wait behind a slow one; above this no further task starts. */
#define TUT_LIMIT_CAGE_HELD_BYTES (64u << 20)
/* Files that one task may open beside its own: the largest sharded models have under 200 shards. */
#define TUT_LIMIT_SIBLINGS 256u
/* A signature of 10,000 files takes 2 MB; JSON above this is not parsed either. */
#define TUT_LIMIT_OMS_BYTES (64u << 20)
/* A file of certificates in PEM: the bundles of roots that systems ship take 250 KB. */
#define TUT_LIMIT_CERTIFICATES_BYTES (4u << 20)
/* Paths left out of a signature: a handful, written by hand. */
#define TUT_LIMIT_OMS_IGNORED 4096u
/* Time on the processor for one file: a base, and what its bytes take at 20 MB/s. By the clock four
 * times as much. */
#define TUT_LIMIT_FILE_MS 30000u
#define TUT_LIMIT_FILE_BYTES_PER_MS 20000u
/* Of a file of this size the digest may be a task of its own. */
#define TUT_LIMIT_DIGEST_APART_BYTES (16u << 20)

/* The sequencer. One message: the records of one assessment of 1,000 assets come to about 3 MB. */
#define TUT_LIMIT_SEQUENCER_MESSAGE (16u << 20)
#define TUT_LIMIT_SEQUENCER_ITEMS 16384u
/* Bytes read ahead from one peer. A longer message is read from one peer at a time, so that all of
 * them together hold at most PEERS times this, and one message. */
#define TUT_LIMIT_SEQUENCER_AHEAD (64u << 10)
/* Answers that a peer has not fetched; above this nothing more is read from it. */
#define TUT_LIMIT_SEQUENCER_ANSWERS (64u << 10)
/* Peers at once, and of one user: the usual limit for descriptors is 1,024, and one user's
 * runaway clients must leave room for the others. */
#define TUT_LIMIT_SEQUENCER_PEERS 512u
#define TUT_LIMIT_SEQUENCER_USER_PEERS 256u
/* A message that is not whole after this, or an answer that nobody fetches for so long, comes from
 * a peer that hangs or means harm. */
#define TUT_LIMIT_SEQUENCER_STALL_MS 30000u
/* One batch: entries and bytes that share one wait for the disk; more would only add delay. */
#define TUT_LIMIT_SEQUENCER_BATCH_ITEMS 16384u
#define TUT_LIMIT_SEQUENCER_BATCH_BYTES (8u << 20)
/* Bytes of submissions that a client holds while the sequencer is busy. */
#define TUT_LIMIT_SEQUENCER_QUEUE (4u << 20)
/* The access table: a line a service account and kind; hosts have a few dozen. */
#define TUT_LIMIT_ACCESS_BYTES (64u << 10)
#define TUT_LIMIT_ACCESS_RULES 1024u

/* The journal of records is read whole: 200 assessments of 1,000 assets come to about 250 MB. */
#define TUT_LIMIT_JOURNAL_BYTES (512u << 20)
/* One record: a few names and digests; what is larger belongs into a body. */
#define TUT_LIMIT_RECORD_BYTES (1u << 20)
/* A log that is brought back from a copy goes through memory: a million entries of 2 kB. */
#define TUT_LIMIT_LOG_COPY_BYTES (2ull << 30)
/* Pairs of provision and subject that a log may name: 20,000 assets under all 72 provisions come to
 * 1.4 million. Each takes about 150 bytes of memory. */
#define TUT_LIMIT_HEADS (2u << 20)
/* A body is a report, a snapshot or a document that a person recorded, not a model. */
#define TUT_LIMIT_BODY_BYTES (64u << 20)
/* Changes to the people of one log, and those that reach back before their own index: each of the
 * latter replays the former. The largest teams enrol some hundred people and rotate once a year. */
#define TUT_LIMIT_PEOPLE_CHANGES 16384u
#define TUT_LIMIT_PEOPLE_COMPROMISES 128u
/* Roots that a genesis may name: a board, not a company. */
#define TUT_LIMIT_PEOPLE_ROOTS 64u
/* Ignored events about people that are kept in words; the rest is counted. */
#define TUT_LIMIT_PEOPLE_PROBLEMS 64u
/* A log. Its journal is folded into tiles above the first size while it is being written, so that a
 * crash leaves little to read again, and above the second when it is closed, so that the next
 * command reads it in a millisecond. */
#define TUT_LIMIT_LOG_RUNNING_BYTES (16u << 20)
#define TUT_LIMIT_LOG_KEPT_BYTES (256u << 10)
/* Entries of one append: a thousand of the largest; a group commit has under 10 MB. */
#define TUT_LIMIT_LOG_BATCH_BYTES (64u << 20)
/* The largest journal that is read: what runs, one batch, and their heads. */
#define TUT_LIMIT_LOG_JOURNAL_BYTES (128u << 20)
/* Changes of one log's key: one a month for 85 years. */
#define TUT_LIMIT_LOG_ROTATIONS 1024u
/* A signed checkpoint: some lines and the signatures of 64 witnesses take 10 kB. */
#define TUT_LIMIT_LOG_NOTE_BYTES (64u << 10)
/* Standard input is spooled to disk so that formats can jump about in it: the size of the largest
 * single-file models in use. */
#define TUT_LIMIT_STDIN_BYTES (64ull << 30)

/* A certificate: the largest of Sigstore, with all claims of a build, have under 4 KiB. */
#define TUT_LIMIT_CERTIFICATE_BYTES (64u << 10)
/* Certificates in PEM that a user trusts: a whole distribution's set has under 400 KiB. */
#define TUT_LIMIT_PEM_BYTES (1u << 20)
/* Sigstore's own trusted root has 7 KiB. */
#define TUT_LIMIT_TRUSTED_ROOT_BYTES (1u << 20)
/* A time-stamp with its authority's chain: 2 to 8 KiB. */
#define TUT_LIMIT_TSP_BYTES (64u << 10)

/* An evidence pack: what one archive of 10,000 records with their bodies takes is 100 MB. */
#define TUT_LIMIT_PACK_BYTES (64ull << 30)
/* Its files: three or four a record. */
#define TUT_LIMIT_PACK_MEMBERS (1u << 20)
/* One of them that is read into memory whole: a report about a million findings. */
#define TUT_LIMIT_PACK_MEMBER_BYTES (256u << 20)
/* The entries of its log, which are held in memory: half a million. */
#define TUT_LIMIT_PACK_ENTRIES_BYTES (1ull << 30)

/* A receipt for a pack: nine findings of each of 1,000 models; each takes 250 bytes, in base64. */
#define TUT_LIMIT_RECEIPT_FINDINGS 16384u
#define TUT_LIMIT_RECEIPT_BYTES (8u << 20)

/* A policy with 64 logs, witnesses and groups, and a comment for each, has under 32 KiB. */
#define TUT_LIMIT_WITNESS_POLICY_BYTES (256u << 10)
/* add-checkpoint: 63 hashes and a checkpoint; 64 signatures of the largest kind have 220 KiB. */
#define TUT_LIMIT_WITNESS_REQUEST_BYTES (256u << 10)
/* Keys of logs that one witness watches. */
#define TUT_WITNESS_LOGS_MAX 256u
/* Time-stamps kept of one log: one an hour for ten years. */
#define TUT_LIMIT_TIMESTAMPS 100000u
/* Cosigned checkpoints kept of one log: likewise. */
#define TUT_LIMIT_WITNESSED 100000u
/* An answer of a witness or a time-stamp authority. */
#define TUT_LIMIT_POST_BYTES (256u << 10)
/* Keys. A file of a key with its text: the largest, RSA, takes some KiB; certificates may precede.
 */
#define TUT_LIMIT_KEY_FILE_BYTES (64u << 10)
#define TUT_LIMIT_KEY_DER_BYTES (8u << 10)
/* RSA below is broken within reach, above costs a verifier more than any authority asks for. */
#define TUT_LIMIT_RSA_BITS_LEAST 2048
#define TUT_LIMIT_RSA_BITS 8192
/* A passphrase or PIN: what OpenSSL and tokens take. */
#define TUT_LIMIT_SECRET_BYTES 1024u
/* Iterations that an encrypted key may ask for: some seconds, where 600,000 are usual. */
#define TUT_LIMIT_PBKDF2_ITERATIONS 10000000
/* One signature in an envelope or note: RSA of the most bits takes 1 KiB. */
#define TUT_LIMIT_SIGNATURE_BYTES 4096u
#define TUT_LIMIT_SIGNATURE_TEXT 8192u /* in base64 */
/* One message of an SSH agent, both ways: OpenSSH's own cap. Keys that it lists: people have tens.
 */
#define TUT_LIMIT_AGENT_BYTES (256u << 10)
#define TUT_LIMIT_AGENT_KEYS 2048u
/* A pkcs11: URI: a few labels of at most 32 bytes and two paths. */
#define TUT_LIMIT_PKCS11_URI_BYTES (16u << 10)
/* Slots that a module shows: readers and partitions of one machine. */
#define TUT_LIMIT_PKCS11_SLOTS 256u

/* The guard. A request or an answer that is held whole: 200,000 tokens of a coding turn are about
 * 1 MB. */
#define TUT_LIMIT_GUARD_BODY_BYTES (32u << 20)
/* One event of a stream: servers send some hundred bytes; the last of a response repeats it all. */
#define TUT_LIMIT_GUARD_EVENT_BYTES (4u << 20)
/* Events kept back while a tool call is on its way: arguments that write a file have some 10 kB. */
#define TUT_LIMIT_GUARD_HELD_BYTES (1u << 20)
/* Of JSON from outside: the schema of a tool takes 10 to 20. */
#define TUT_LIMIT_GUARD_DEPTH 48u
/* Columns that the baselines of one policy bound: 16 images of 64 by 64. */
#define TUT_LIMIT_GUARD_FEATURES 65536u
/* Texts of one request: a conversation of 1,000 turns with its tools has some thousand. */
#define TUT_LIMIT_GUARD_SEGMENTS 65536u
/* Texts that an answer writes at once: choices, and the tool calls of each. */
#define TUT_LIMIT_GUARD_CHANNELS 256u
/* Requests under way, and bytes of bodies in memory, of all workers, unless the policy says
 * otherwise: a connection takes some 20 kB, and parsing a body three to four times its size. */
#define TUT_LIMIT_GUARD_IN_FLIGHT 4096u
#define TUT_LIMIT_GUARD_BODIES_BYTES (512u << 20)
/* A token: what fits into a header of nginx. Its parts nest in no issuer's tokens as deep. */
#define TUT_LIMIT_JWT_BYTES (8u << 10)
#define TUT_LIMIT_JWT_DEPTH 8u
/* Public keys of an issuer: the largest publish some ten, each under 2 KiB. */
#define TUT_LIMIT_JWKS_BYTES (256u << 10)
#define TUT_LIMIT_JWKS_KEYS 64u

/* The version store. Its index: 20,000 versions take about 10 MB. */
#define TUT_LIMIT_OCI_INDEX_BYTES (32u << 20)
#define TUT_LIMIT_OCI_MANIFESTS 65536u
/* A manifest: a layer a file, each 400 to 700 bytes. */
#define TUT_LIMIT_OCI_MANIFEST_BYTES (32u << 20)
#define TUT_LIMIT_OCI_LAYERS 32768u
#define TUT_LIMIT_OCI_ANNOTATIONS 64u
/* Versions of one asset: one a day for 27 years. */
#define TUT_LIMIT_VERSIONS 10000u
/* Tensors that are compared between two versions of a model file: see the values of a JSON. */
#define TUT_LIMIT_TENSORS 200000u

/* One answer of a service that is probed: 10,000 rows of 100 classes in decimal take 12 MB. */
#define TUT_LIMIT_PROBE_ANSWER_BYTES (16u << 20)
#endif
