import { NativeSelect, Switch, Textarea, TextInput } from '@mantine/core';
import type { ParamField } from './param-form.ts';

interface ParamInputProps {
  readonly field: ParamField;
  readonly value: string;
  readonly error: string | null;
  readonly onChange: (value: string) => void;
}

export function ParamInput({ field, value, error, onChange }: ParamInputProps) {
  const about = {
    label: field.name,
    description: [field.description, limits(field)].filter((one) => one !== '').join(' · ') || undefined,
    error: error === null ? undefined : `${field.name} ${error}`,
    required: field.required,
    withAsterisk: field.required,
    'data-testid': `param-${field.name}`,
  };
  switch (field.kind) {
    case 'boolean':
      return (
        <Switch
          {...about}
          checked={value === 'true'}
          onChange={(event) => onChange(String(event.currentTarget.checked))}
        />
      );
    case 'choice':
      return (
        <NativeSelect
          {...about}
          data={[...(value === '' ? [''] : []), ...field.choices.map((choice) => choice.text)]}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'json':
      return (
        <Textarea
          {...about}
          autosize
          minRows={1}
          maxRows={8}
          value={value}
          spellCheck={false}
          classNames={{ input: 'mono' }}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    default:
      return (
        <TextInput
          {...about}
          value={value}
          inputMode={field.kind === 'number' ? 'decimal' : field.kind === 'integer' ? 'numeric' : 'text'}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

function limits({ kind, minimum, maximum, pattern }: ParamField): string {
  const parts = [
    kind === 'json' ? 'JSON' : kind === 'integer' ? 'whole number' : kind === 'number' ? 'number' : '',
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : '',
    minimum !== undefined && maximum === undefined ? `at least ${minimum}` : '',
    minimum === undefined && maximum !== undefined ? `at most ${maximum}` : '',
    pattern === undefined ? '' : `matches ${pattern}`,
  ];
  return parts.filter((one) => one !== '').join(', ');
}
