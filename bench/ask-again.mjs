// `node ask-again.mjs URL CONNECTIONS SECONDS`: each connection asks again as soon as it was answered; prints the milliseconds of all answers.
import { Agent, request } from 'node:http';

const [url, connections, seconds] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const headers = { authorization: `Bearer ${process.env.TOKEN}`, 'accept-encoding': 'identity' };
const until = performance.now() + Number(seconds) * 1000;
const took = [];

const ask = () =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    request(url, { agent, headers }, (response) => {
      response.resume().on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${url} was answered with ${response.statusCode}`));
        took.push(performance.now() - started);
        resolve();
      });
    })
      .on('error', reject)
      .end();
  });

const askAgain = async () => {
  while (performance.now() < until) await ask();
};
// The first answers pay for connections and plans.
await Promise.all(Array.from({ length: Number(connections) }, ask));
took.length = 0;
await Promise.all(Array.from({ length: Number(connections) }, askAgain));
process.stdout.write(JSON.stringify(took), () => agent.destroy());
