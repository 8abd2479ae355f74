// OpenAI's own client, against whatever stands at "base": lines of {"base", "key", "call", "params"} on standard input,
// for each a line of {"text", "calls", "events", "id"} or {"error"} on standard output.
import OpenAI from "openai";
import {createInterface} from "node:readline";

const add = (into, call) => {
  const at = (into[call.index] ??= {name: "", arguments: ""});
  at.name += call.function?.name ?? "";
  at.arguments += call.function?.arguments ?? "";
};

const ways = {
  async chat(client, params) {
    const {data, response} = await client.chat.completions.create(params).withResponse();
    const message = data.choices[0].message;
    return {text: message.content, calls: (message.tool_calls ?? []).map((c) => c.function), id: response.headers.get("x-tutela-id"), finish: data.choices[0].finish_reason, usage: data.usage};
  },
  async stream(client, params) {
    const out = {text: "", calls: [], events: 0};
    for await (const chunk of await client.chat.completions.create({...params, stream: true})) {
      out.events++;
      const choice = chunk.choices[0];
      out.text += choice?.delta?.content ?? "";
      for (const call of choice?.delta?.tool_calls ?? []) add(out.calls, call);
      out.finish = choice?.finish_reason ?? out.finish;
      out.usage = chunk.usage ?? out.usage;
    }
    return out;
  },
  async runner(client, params) { // the helper that puts the pieces together by itself
    const stream = client.beta.chat.completions.stream(params);
    const done = await stream.finalChatCompletion();
    const message = done.choices[0].message;
    return {text: message.content, calls: (message.tool_calls ?? []).map((c) => ({name: c.function.name, arguments: c.function.arguments}))};
  },
  async completions(client, params) {
    return {text: (await client.completions.create(params)).choices[0].text};
  },
  async responses(client, params) {
    const done = await client.responses.create(params);
    return {text: done.output_text, calls: done.output.filter((i) => i.type === "function_call").map(({name, arguments: a}) => ({name, arguments: a}))};
  },
  async responses_stream(client, params) {
    const out = {text: "", calls: [], events: 0};
    for await (const event of await client.responses.create({...params, stream: true})) {
      out.events++;
      if (event.type === "response.output_text.delta") out.text += event.delta;
      if (event.type === "response.function_call_arguments.done") out.calls.push(event.arguments);
      if (event.type === "response.completed") out.whole = event.response.output.flatMap((i) => i.content ?? []).map((c) => c.text).join("");
    }
    return out;
  },
  async embeddings(client, params) {
    const done = await client.embeddings.create({encoding_format: "float", ...params});
    return {numbers: done.data[0].embedding};
  },
};

for await (const line of createInterface({input: process.stdin})) {
  const {base, key, call, params} = JSON.parse(line);
  let out;
  try {
    const client = new OpenAI({baseURL: base, apiKey: key, maxRetries: 0, timeout: 20000});
    out = await ways[call](client, params);
  } catch (e) {
    out = {error: {name: e.constructor.name, is_api: e instanceof OpenAI.APIError, status: e.status, code: e.code, type: e.type, message: e.message}};
  }
  console.log(JSON.stringify(out));
}
