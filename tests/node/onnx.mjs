// node onnx.mjs LIST: runs nets with ONNX Runtime. A line of LIST is MODEL ROWS.f32 OUT.f32 SIZE...: the sizes of a row's axes.
import { readFileSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
    const [model, from, to, ...sizes] = line.split(' ');
    const bytes = readFileSync(from);
    const rows = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const shape = sizes.map(Number);
    const count = rows.length / shape.reduce((a, b) => a * b, 1);
    const session = await ort.InferenceSession.create(model);
    const answers = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', rows, [count, ...shape]) });
    const out = answers[session.outputNames[0]].data;
    writeFileSync(to, Buffer.from(out.buffer, out.byteOffset, out.byteLength));
}
