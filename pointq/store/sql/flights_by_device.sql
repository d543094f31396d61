-- flights_by_device: the flights of a device, and the last of every device, are found without reading all flights. Neither column
-- changes once it is set, so this index leaves the updates of the writers alone (HOT).
CREATE INDEX ON flights (kind, device_id)
