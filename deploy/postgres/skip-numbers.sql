-- After a restore to an earlier moment, in each database that was restored: numbers that were given after that moment do not come again.
-- Others have seen them: a service keeps to the highest X-Message-Sequence that it has heard of and takes a lower one for old news,
-- and mails name orders by their number. Again is harmless; gaps are no fault anywhere.
SELECT format('%I.%I', schemaname, sequencename) AS sequence,
       setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + 1000000) AS goes_on_after
FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1;
