// Every device definition of the npm package zigbee-herdsman-converters that is installed in
// the working directory, as one JSON object a line: what Zigbee2MQTT announces as `definition`.
import fs from "node:fs";
import path from "node:path";
import {createRequire} from "node:module";

const require = createRequire(path.join(process.cwd(), "x"));
const root = path.dirname(require.resolve("zigbee-herdsman-converters/package.json"));
const converters = require("zigbee-herdsman-converters");
const silent = () => {};
converters.setLogger({debug: silent, info: silent, warning: silent, error: silent});

// Some definitions look at the device before they say what it exposes.
const endpoint = {
    ID: 1, clusters: {}, inputClusters: [], outputClusters: [], configuredReportings: [], binds: [],
    getClusterAttributeValue: () => undefined, supportsInputCluster: () => false,
    supportsOutputCluster: () => false, getDevice: () => device, hasAttribute: () => false,
};
const device = {
    ieeeAddr: "0x0000000000000000", type: "Router", endpoints: [endpoint], meta: {},
    customClusters: {}, softwareBuildID: "", getEndpoint: () => endpoint,
};

const folder = path.join(root, "dist", "devices");
for (const file of fs.readdirSync(folder).sort()) {
    if (!file.endsWith(".js") || file === "index.js") continue;
    for (const definition of require(path.join(folder, file)).definitions ?? []) {
        const {model, vendor, description, exposes} = converters.prepareDefinition(definition);
        const shown = typeof exposes === "function" ? exposes(device, {}) : exposes;
        process.stdout.write(`${JSON.stringify({model, vendor, description, exposes: shown})}\n`);
    }
}
