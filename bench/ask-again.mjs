// `node ask-again.mjs URL CONNECTIONS SECONDS`: each connection asks once a second, one after the other; prints the milliseconds of all answers.
import { Agent, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const [url, connections, seconds] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const headers = { authorization: `Bearer ${process.env.TOKEN}`, 'accept-encoding': 'identity' };
const took = [];

const ask = (since = performance.now()) =>
  new Promise((resolve, reject) => {
    request(url, { agent, headers }, (response) => {
      response.resume().on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${url} was answered with ${response.statusCode}`));
        took.push(performance.now() - since);
        resolve();
      });
    })
      .on('error', reject)
      .end();
  });

const askAgain = async (first) => {
  // From when it was to be asked: a slow answer delays the next one for whoever waits for it.
  for (let due = first; due < until; due += 1000) {
    await setTimeout(Math.max(0, due - performance.now()));
    await ask(due);
  }
};
// The first answers pay for connections and plans.
await Promise.all(Array.from({ length: Number(connections) }, () => ask()));
took.length = 0;
const started = performance.now();
const until = started + Number(seconds) * 1000;
await Promise.all(
  Array.from({ length: Number(connections) }, (_, place) => askAgain(started + (place * 1000) / Number(connections))),
);
process.stdout.write(JSON.stringify(took), () => agent.destroy());
