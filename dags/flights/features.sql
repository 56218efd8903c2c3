-- What was known about routes, hours and airports when the day began: rates over the 28 days before it, never the day itself.
-- The rates are smoothed towards a prior, so that a route with two flights does not look certain, and kept as log odds,
-- because that is the scale on which a logistic model adds things up.
create temp macro log_odds(late, flights, prior, weight) as
  ln((late + weight * prior) / (flights - late + weight * (1 - prior)))::float;

create temp table history as
select
  origin, destination, hour,
  count(*)::double as n28,
  sum(late::int)::double as late28,
  count(*) filter (ds >= getvariable('DS')::date - 7)::double as n7,
  coalesce(sum(late::int) filter (ds >= getvariable('DS')::date - 7), 0)::double as late7,
  count(*) filter (ds = getvariable('DS')::date - 1)::double as n1,
  coalesce(sum(late::int) filter (ds = getvariable('DS')::date - 1), 0)::double as late1
from read_parquet(getvariable('PATH_RAW') || '/*/flights.parquet', hive_partitioning = true)
where ds < getvariable('DS')::date
group by origin, destination, hour;

-- Before the first day there is no history at all: one flight in five is the starting belief, worth 200 flights.
create temp table nation as
select
  (coalesce(sum(late28), 0) + 40) / (coalesce(sum(n28), 0) + 200) as prior,
  log_odds(coalesce(sum(late7), 0), coalesce(sum(n7), 0), prior, 100) as nation_7d,
  log_odds(coalesce(sum(late1), 0), coalesce(sum(n1), 0), prior, 100) as nation_1d
from history;

create temp table hours as
select hour, log_odds(sum(late28), sum(n28), any_value(prior), 200) as hour_28d
from history, nation group by hour;

create temp table origins as
select
  origin,
  log_odds(sum(late28), sum(n28), any_value(prior), 100) as origin_28d,
  log_odds(sum(late7), sum(n7), any_value(prior), 100) as origin_7d,
  log_odds(sum(late1), sum(n1), any_value(prior), 100) as origin_1d
from history, nation group by origin;

create temp table destinations as
select
  destination,
  log_odds(sum(late28), sum(n28), any_value(prior), 100) as destination_28d,
  log_odds(sum(late7), sum(n7), any_value(prior), 100) as destination_7d,
  log_odds(sum(late1), sum(n1), any_value(prior), 100) as destination_1d
from history, nation group by destination;

create temp table origin_hours as
select origin, hour, log_odds(sum(late28), sum(n28), any_value(prior), 50) as origin_hour_28d, ln(1 + sum(n28))::float as origin_hour_flights
from history, nation group by origin, hour;

create temp table destination_hours as
select destination, hour, log_odds(sum(late28), sum(n28), any_value(prior), 50) as destination_hour_28d
from history, nation group by destination, hour;

create temp table routes as
select origin, destination, log_odds(sum(late28), sum(n28), any_value(prior), 40) as route_28d
from history, nation group by origin, destination;

create temp table route_hours as
select
  origin, destination, hour,
  n28::usmallint as flights,
  late28::usmallint as late,
  log_odds(late28, n28, prior, 20) as route_hour_28d,
  ln(1 + n28)::float as route_hour_flights
from history, nation;

copy (
  select origin, destination, hour, flights, late, (1 / (1 + exp(-route_hour_28d)))::float as late_rate
  from route_hours
  order by origin, destination, hour
) to (getvariable('PATH_FEATURES') || '/route_hour.parquet') (format parquet, compression zstd);

-- The day's flights, each with what was known before the day: a point-in-time join, done here once for training and scoring alike.
create temp table example as
select
  getvariable('DS')::date as day, f.departed_at, f.origin, f.destination, f.hour, f.late,
  ln(f.distance)::float as log_distance,
  nation_7d,
  nation_1d,
  coalesce(hour_28d, belief) as hour_28d,
  coalesce(origin_28d, belief) as origin_28d,
  coalesce(origin_7d, belief) as origin_7d,
  coalesce(origin_1d, belief) as origin_1d,
  coalesce(destination_28d, belief) as destination_28d,
  coalesce(destination_7d, belief) as destination_7d,
  coalesce(destination_1d, belief) as destination_1d,
  coalesce(origin_hour_28d, belief) as origin_hour_28d,
  coalesce(destination_hour_28d, belief) as destination_hour_28d,
  coalesce(route_28d, belief) as route_28d,
  coalesce(route_hour_28d, belief) as route_hour_28d,
  coalesce(origin_hour_flights, 0)::float as origin_hour_flights,
  coalesce(route_hour_flights, 0)::float as route_hour_flights
from read_parquet(getvariable('PATH_RAW') || '/ds=' || getvariable('DS') || '/flights.parquet', hive_partitioning = false) f
cross join (select *, ln(prior / (1 - prior))::float as belief from nation)
left join hours using (hour)
left join origins using (origin)
left join destinations using (destination)
left join origin_hours using (origin, hour)
left join destination_hours using (destination, hour)
left join routes using (origin, destination)
left join route_hours using (origin, destination, hour);

copy (select * from example order by departed_at, origin, destination, late)
to (getvariable('PATH_EXAMPLES') || '/flights.parquet') (format parquet, compression zstd);

select
  (select count(*) from example) as rows,
  (select count(*) from history) as route_hours,
  (select count(distinct ds) - 1 from read_parquet(getvariable('PATH_RAW') || '/*/flights.parquet', hive_partitioning = true)) as history_days,
  (select round(avg((route_hour_flights = 0)::int), 5) from example) as share_unseen;
