// Drives the vendor's TypeScript SDK against a local server; prints one JSON object with what each
// verb gave. Arguments: the server's base URL.
import { Noukai, traceScope } from "@noukai/sdk";

const base = process.argv[2];
const client = (apiKey = "nk_test_local001_0123456789abcdef0123456789abcdef") => {
  const made = new Noukai({ apiKey, org: "acme", project: "demo" });
  made._transport.baseUrl = base;
  return made;
};
const noukai = client();
const noise = new Set(["executionId", "runId", "flowId", "durationMs", "planHash", "model"]);
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => !noise.has(name) && typeof item !== "function")
      .map(([name, item]) => [name, plain(item)]),
  );
};
const all = async (items) => {
  const found = [];
  for await (const item of items) found.push(plain(item));
  return found;
};
const failure = async (work) => {
  try {
    await work();
  } catch (error) {
    const { name, statusCode, code, message, requestId, retryAfter } = error;
    return { name, statusCode, code, retryAfter, hasMessage: !!message, hasId: !!requestId };
  }
  return "did not fail";
};

const tool = { type: "function", function: { name: "get_weather", parameters: { type: "object" } } };
const toolHandler = async (calls) =>
  calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: "sunny" }));
const two = noukai.flow("two-step");

const told = {
  steps: await all(two.steps({ message: "you" })),
  events: await all(two.events({ message: "you" })),
  runRemaining: await all(two.events({ message: "you", runRemaining: true })),
  overridden: await all(
    two.steps({
      message: "you",
      inputOverrides: { draft: { text: "EDITED" } },
      blockOverrides: { draft: { prompt: "LOUD" } },
    }),
  ),
  failing: await all(noukai.flow("failing").events({ message: "m" })),
  loop: await all(noukai.flow("loop").steps({ message: "m" })),
  executed: plain(await two.execute({ message: "you" })),
  failed: plain(await noukai.flow("failing").execute({ message: "m" })),
  tools: plain(
    await noukai.flow("tools").execute({ message: "m", tools: [tool], toolHandler }),
  ),
  toolSteps: await all(noukai.flow("tools").steps({ message: "m", tools: [tool], toolHandler })),
  notFound: await failure(() => noukai.flow("nothing").execute({ message: "m" })),
  missing: await failure(() => two.execute({})),
  noTools: await failure(() => two.execute({ message: "m", tools: [tool] })),
};

const job = await noukai.flow("three-step").executeAsync({ message: "m" });
told.job = plain(await job.wait({ pollInterval: 50, timeout: 30000 }));

const traced = await noukai.flow("loop").execute({ message: "m", trace: true });
const run = noukai.flow("loop").run(traced.executionId);
told.trace = (await run.trace()).steps.map((step) => [step.stepId, step.loopIndex, step.status]);
told.stepTrace = (await run.stepTrace("shout", { loopIndex: 1 })).outputContext;
told.attempts = (await run.stepTrace("shout", { attempt: "all" })).attempts.length;
told.liveTrace = (await all(run.liveTrace())).map((event) => event.type ?? event.eventType);

process.env.NOUKAI_REPLAY_ENABLED = "1";
let session = null;
await traceScope(
  async () => {
    await two.execute({ message: "you", trace: true });
    const { currentSessionId } = await import("@noukai/sdk");
    session = currentSessionId();
  },
  { transport: noukai._transport },
);
told.replayed = await traceScope(
  async () => plain((await two.execute({ message: "you" })).result),
  { replaySessionId: session, transport: noukai._transport },
);

console.log(JSON.stringify(told));
process.exit(0);
