"""What knows no school: database, bus, blobs, jobs, events, clock, errors, pages, languages, engines."""
