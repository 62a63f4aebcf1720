// Drives the vendor's TypeScript SDK against a local server; prints one JSON object with what each
// verb gave. Arguments: the base URL of an open server, and of one that asks for keys, with a key
// that it refuses and one of another project; a key of another project for the open server; and a
// server whose recordings have expired.
import { Noukai, traceScope } from "@noukai/sdk";

const [base, guarded, wrongKey, foreignKey, elsewhere, expired] = process.argv.slice(2);
const client = (apiKey = "nk_test_local001_0123456789abcdef0123456789abcdef", url = base) => {
  const made = new Noukai({ apiKey, org: "acme", project: "demo", maxRetries: 0 });
  made._transport.baseUrl = url;
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

const paused = await noukai.flow("tools").execute({ message: "m", tools: [tool] });
told.paused = [paused.requiresToolCalls, paused.pausedAtStep, paused.iterationsUsed];
const results = await toolHandler(paused.toolCalls);
told.resumed = plain(await paused.resume({ toolResults: results }));
told.resumedEvents = [];
for await (const event of noukai.flow("tools").events({ message: "m", tools: [tool] })) {
  told.resumedEvents.push(event.type);
  if (event.type === "tool_calls_required") {
    await event.resume({ toolResults: await toolHandler(event.toolCalls) });
  }
}
told.errors = {
  credits: await failure(() => noukai.flow("broke").execute({ message: "m" })),
  key: await failure(() => client(wrongKey, guarded).flow("two-step").execute({ message: "m" })),
  project: await failure(() =>
    client(foreignKey, guarded).flow("two-step").execute({ message: "m" }),
  ),
  rate: await failure(() =>
    client(foreignKey, guarded).flow("two-step").execute({ message: "m" }),
  ),
  streamed: await failure(() => all(noukai.flow("nothing").events({ message: "m" }))),
  timeout: await failure(() => noukai.flow("slow").execute({ message: "m", timeout: 500 })),
  rounds: await failure(() =>
    noukai
      .flow("endless-tools")
      .execute({ message: "m", tools: [tool], toolHandler, maxToolRounds: 2 }),
  ),
  nobody: await failure(() =>
    client(undefined, "http://127.0.0.1:1/api/v1").flow("two-step").execute({ message: "m" }),
  ),
};

const job = await noukai.flow("three-step").executeAsync({ message: "m" });
told.polled = (await job.poll()).status;
told.job = plain(await job.wait({ pollInterval: 50, timeout: 240000 }));

const traced = await noukai.flow("loop").execute({ message: "m", trace: true });
const run = noukai.flow("loop").run(traced.executionId);
told.trace = (await run.trace()).steps.map((step) => [step.stepId, step.loopIndex, step.status]);
told.stepTrace = (await run.stepTrace("shout", { loopIndex: 1 })).outputContext;
told.attempt = (await run.stepTrace("each", { attempt: 1 })).attempt;
told.attempts = (await run.stepTrace("shout", { attempt: "all" })).attempts.length;
told.toolsFirst = await all(
  noukai
    .flow("tools-first")
    .steps({ message: "m", parameters: { tone: "stern" }, tools: [tool], toolHandler }),
);
const flaky = await noukai.flow("flaky").execute({ trace: true });
told.tries = (await noukai.flow("flaky").run(flaky.executionId).stepTrace("ask", { attempt: "all" }))
  .attempts.map((step) => [step.attempt, step.status]);
told.liveTrace = (await all(run.liveTrace())).map((event) => event.type ?? event.eventType);

const unknown = "0b0b0b0b-0000-4000-8000-000000000000";
const tagged = "1c1c1c1c-0000-4000-8000-000000000000";
told.tagged = (await two.execute({ message: "you", sessionId: tagged })).sessionId;
told.notEnabled = await traceScope(
  async () => (await two.execute({ message: "you" })).status,
  { replaySessionId: unknown, transport: noukai._transport },
);

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

const replaying = (id, work, by = noukai) =>
  traceScope(work, { replaySessionId: id, transport: by._transport });
told.replayErrors = {
  unknown: await failure(() => replaying(unknown, async () => {})),
  invalid: await failure(() => replaying("not-a-uuid", async () => {})),
  leftover: await failure(() => replaying(session, async () => {})),
  miss: await failure(() =>
    replaying(session, () => noukai.flow("loop").execute({ message: "m" })),
  ),
  noSnapshots: await failure(() => replaying(tagged, async () => {})),
  forbidden: await failure(() => replaying(session, async () => {}, client(elsewhere))),
  expired: await failure(() => replaying(unknown, async () => {}, client(undefined, expired))),
};

console.log(JSON.stringify(told));
process.exit(0);
