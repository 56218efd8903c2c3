-- One day of flights out of the six-month file. The file is sorted by time, so DuckDB opens only the row groups of that day.
create temp table day as
select
  date as departed_at,
  hour(date)::utinyint as hour,
  origin,
  destination,
  distance::usmallint as distance,
  delay::smallint as delay,
  delay > 15 as late
from read_parquet(getvariable('DATA_FLIGHTS') || '/' || getvariable('PARAM_FILE'))
where date >= getvariable('DS')::date
  and date < getvariable('DS')::date + interval 1 day;

copy day to (getvariable('PATH_RAW') || '/flights.parquet') (format parquet, compression zstd);

-- The last select is what the task says about its data; the checks and the charts of the pipeline use it.
select
  count(*) as rows,
  count(distinct (origin, destination)) as routes,
  coalesce(avg((departed_at is null or origin is null or destination is null or distance is null or delay is null)::int), 0) as null_ratio,
  min(delay) as delay_min,
  max(delay) as delay_max,
  round(avg(delay), 3) as mean_delay,
  round(avg(late::int), 5) as share_late
from day;
