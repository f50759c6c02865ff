// Runs `segment` with the types that openapi-typescript makes of openapi.yml, waited for and as a job.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

type Inputs = components["schemas"]["segment.inputs"];

const address = process.argv[2];
const client = createClient<paths>({ baseUrl: address });
const inputs: Inputs = {
  source: "sample",
  bbox: [-29.59652, 41.25536, -29.58304, 41.26479],
  zoom: 16,
  prompt: [{ type: "point", data: { lng: -29.58979, lat: 41.26234 }, label: 1 }],
};

const sync = await client.POST("/processes/segment/execution", { body: { inputs } });
const found = sync.data as components["schemas"]["segment.outputs.features"];
if (sync.response.status !== 200) throw new Error(JSON.stringify(sync.error));

const made = await client.POST("/processes/segment/execution", {
  body: { inputs },
  params: { header: { Prefer: "respond-async" } },
});
let job = made.data as components["schemas"]["statusInfo"];
while (job.status === "accepted" || job.status === "running") {
  await new Promise((done) => setTimeout(done, 100));
  const asked = await client.GET("/jobs/{jobID}", { params: { path: { jobID: job.jobID } } });
  if (!asked.data) throw new Error(JSON.stringify(asked.error));
  job = asked.data as components["schemas"]["statusInfo"];
}
const results = await client.GET("/jobs/{jobID}/results", {
  params: { path: { jobID: job.jobID } },
});
const again = results.data as components["schemas"]["segment.outputs.features"];
console.log(JSON.stringify({ sync: found.features, job: job.status, again: again.features }));
