import { useState, type FormEvent } from 'react';
import { Button, Modal, Switch, TextInput } from '@mantine/core';
import { IconBolt } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { PipelineDetail } from '#contracts';
import { useTrigger } from '../actions.ts';
import { pipelineQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Failure } from '../parts/notice.tsx';
import { ParamInput } from './param-input.tsx';
import { paramFields, parseParam, type ParamField } from './param-form.ts';
import styles from './trigger-dialog.module.css';

/** A run by hand: parameters as the pipeline declares them, and an interval where one is wanted. */
export function TriggerDialog({ pipeline, onClose }: { pipeline: string; onClose: () => void }) {
  const env = useEnv();
  const query = useQuery(pipelineQuery(env, pipeline));
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Trigger ${pipeline} in ${env}`}
      size={520}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Loaded query={query}>{(detail) => <TriggerForm env={env} detail={detail} onClose={onClose} />}</Loaded>
    </Modal>
  );
}

function TriggerForm({ env, detail, onClose }: { env: string; detail: PipelineDetail; onClose: () => void }) {
  const fields = paramFields(detail.params);
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [at, setAt] = useState('');
  const [noCache, setNoCache] = useState(false);
  const [tried, setTried] = useState(false);
  const trigger = useTrigger(env, detail.name);
  const parsed = fields.map((field) => ({ field, result: parseParam(field, typed[field.name] ?? field.initial) }));
  const wrong = parsed.some(({ result }) => !result.ok);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    const params = Object.fromEntries(
      parsed.flatMap(({ field, result }) =>
        result.ok && result.value !== undefined && changed(field, typed) ? [[field.name, result.value]] : [],
      ),
    );
    trigger.mutate({ params, noCache, ...(at === '' ? {} : { at }) }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit} className={styles.form} noValidate data-testid="trigger-form">
      {parsed.map(({ field, result }) => (
        <ParamInput
          key={field.name}
          field={field}
          value={typed[field.name] ?? field.initial}
          error={result.ok || !(tried || changed(field, typed)) ? null : result.message}
          onChange={(value) => setTyped((old) => ({ ...old, [field.name]: value }))}
        />
      ))}
      {fields.length === 0 && <p className="dim">This pipeline takes no parameters.</p>}
      <TextInput
        label="Interval"
        description="Optional: a date or an instant inside the wanted interval, e.g. 2001-01-15. Empty: the latest complete one, where there is a schedule."
        placeholder="2001-01-15"
        value={at}
        onChange={(event) => setAt(event.currentTarget.value)}
        classNames={{ input: 'mono' }}
      />
      <Switch
        label="Execute every task"
        description="Also those whose result an earlier run has."
        checked={noCache}
        onChange={(event) => setNoCache(event.currentTarget.checked)}
      />
      {trigger.error !== null && <Failure error={trigger.error} inline />}
      <div className={styles.foot}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          leftSection={<IconBolt size={15} />}
          loading={trigger.isPending}
          data-testid="trigger-submit"
        >
          Create run
        </Button>
      </div>
    </form>
  );
}

function changed(field: ParamField, typed: Readonly<Record<string, string>>): boolean {
  const value = typed[field.name];
  return value !== undefined && value !== field.initial;
}
