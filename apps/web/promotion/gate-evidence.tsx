import { Link } from '@tanstack/react-router';
import type { PromotionDetail } from '#contracts';
import { formatValue } from '../parts/number-format.ts';
import { Ago } from '../parts/time.tsx';
import { changeOf, metricRows, runsOf, type ShownTests, testsOf, verifiedIn } from './evidence.ts';
import styles from './gates.module.css';

type Gate = PromotionDetail['gates'][number];

/** What an answer rests on: runs to open, metrics beside the baseline, where it was verified. */
export function GateEvidence({ gate, environment }: { gate: Gate; environment: string }) {
  if (gate.kind === 'metric') return <Metrics gate={gate} environment={environment} />;
  if (gate.kind === 'smoke') return <Runs runs={runsOf(gate.evidence)} />;
  if (gate.kind === 'tests') return <Tests tests={testsOf(gate.evidence)} />;
  if (gate.kind === 'validate') return <Problems problems={gate.evidence['problems']} />;
  const verified = gate.kind === 'provenance' || gate.kind === 'soak' ? verifiedIn(gate.evidence) : [];
  if (verified.length === 0) return null;
  return (
    <ul className={styles.facts}>
      {verified.map(([name, at]) => (
        <li key={name}>
          verified in {name} <Ago at={at} />
        </li>
      ))}
    </ul>
  );
}

function Runs({ runs }: { runs: readonly (readonly [string, string])[] }) {
  if (runs.length === 0) return null;
  return (
    <ul className={styles.facts}>
      {runs.map(([pipeline, run]) => (
        <li key={pipeline}>
          {pipeline}{' '}
          <Link to="/runs/$run" params={{ run }} className="link mono">
            run {run}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Tests({ tests }: { tests: ShownTests | null }) {
  if (tests === null) return null;
  return (
    <ul className={styles.facts}>
      <li>
        {tests.passed} passed, {tests.failed} failed in {formatValue(tests.seconds)} s
      </li>
      <li>
        recorded by {tests.actor} <Ago at={tests.at} />
      </li>
      {tests.buildUrl !== null && (
        <li>
          <a href={tests.buildUrl} className="link" rel="noreferrer" target="_blank">
            build
          </a>
        </li>
      )}
    </ul>
  );
}

function Problems({ problems }: { problems: unknown }) {
  if (!Array.isArray(problems) || problems.length < 2) return null;
  return (
    <ul className={styles.problems}>
      {problems.map((one, index) => (
        <li key={index}>{String(one)}</li>
      ))}
    </ul>
  );
}

function Metrics({ gate, environment }: { gate: Gate; environment: string }) {
  const rows = metricRows(gate.evidence);
  if (rows.length === 0) return null;
  return (
    <table className={styles.metrics} data-testid="gate-metrics">
      <thead>
        <tr>
          <th>Metric</th>
          <th>
            <RunHead name="Candidate" run={gate.evidence['candidateRun']} />
          </th>
          <th>
            <RunHead name={`Baseline in ${environment}`} run={gate.evidence['baselineRun']} />
          </th>
          <th>Change</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, candidate, baseline }) => (
          <tr key={name} data-named={gate.name.includes(`metrics.${name}`) || undefined}>
            <th scope="row">{name}</th>
            <td>{shown(candidate)}</td>
            <td>{shown(baseline)}</td>
            <td>{changeOf(candidate, baseline)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RunHead({ name, run }: { name: string; run: unknown }) {
  if (typeof run !== 'string') return <>{name}: no run</>;
  return (
    <Link to="/runs/$run" params={{ run }} className="link" title={`Run ${run}`}>
      {name} <span className="mono">{run}</span>
    </Link>
  );
}

function shown(value: number | null) {
  return value === null ? <span className="dim">not there</span> : formatValue(value);
}
