import type { Db } from './statement.ts';

/** The schema of the connected database as SQL that a reader can read, from the catalog alone; migrations' own table left out. */
export async function describeSchema(db: Db): Promise<string> {
  const rows = await db.sql<{ statement: string }[]>`
    with tables as (
      select c.oid, c.relname as name, c.reloptions
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind = 'r' and c.relname <> 'migrations'
    ), columns as (
      select a.attrelid, a.attnum::int as place, format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
             case when a.attidentity = 'a' then ' generated always as identity' else '' end,
             coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''),
             case when a.attnotnull and a.attidentity = '' then ' not null' else '' end) as line
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attnum > 0 and not a.attisdropped
    ), constraints as (
      -- Not-null constraints are rows of their own since Postgres 18; the columns say it already.
      select conrelid, conname, case contype when 'p' then 1 when 'u' then 2 when 'f' then 3 else 4 end as kind,
             format('  constraint %s %s', conname, lower(split_part(pg_get_constraintdef(oid), '(', 1))
               || substr(pg_get_constraintdef(oid), strpos(pg_get_constraintdef(oid), '('))) as line
      from pg_constraint
      where contype in ('p', 'u', 'f', 'c')
    )
    select t.name || ' 0' as place, format(E'create table %s (\n%s\n)%s;', t.name, (
             select string_agg(line, E',\n' order by kind, place, name)
             from (
               select 0 as kind, c.place, '' as name, c.line from columns c where c.attrelid = t.oid
               union all
               select k.kind, 0, k.conname::text, k.line from constraints k where k.conrelid = t.oid
             ) lines), coalesce(' with (' || array_to_string(t.reloptions, ', ') || ')', '')) as statement
    from tables t
    union all
    select t.name || ' 1 ' || i.relname, replace(lower(substr(def.text, 1, strpos(def.text, '(') - 1)), ' on public.', ' on ')
           || substr(def.text, strpos(def.text, '(')) || ';'
    from tables t
    join pg_index x on x.indrelid = t.oid
    join pg_class i on i.oid = x.indexrelid
    cross join lateral (select replace(pg_get_indexdef(x.indexrelid), ' USING btree', '') as text) def
    where not exists (select from pg_constraint k where k.conindid = x.indexrelid)
    union all
    select t.name || ' 2 ' || g.tgname, lower(split_part(def.text, ' ON ', 1)) || ' on ' || t.name || ' '
           || lower(substr(def.text, strpos(def.text, 'FOR EACH'))) || ';'
    from tables t
    join pg_trigger g on g.tgrelid = t.oid
    cross join lateral (select pg_get_triggerdef(g.oid) as text) def
    where not g.tgisinternal
    order by 1`;
  return rows
    .map((row) => (row.statement.startsWith('create table') ? `\n${row.statement}` : row.statement))
    .join('\n')
    .trimStart();
}
