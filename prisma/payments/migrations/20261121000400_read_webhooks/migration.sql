-- What the provider says names its customer and their card, so it is kept until it is read and no longer.
update webhook_event set body = '' where processed_at is not null;
alter table webhook_event add constraint webhook_event_body check (processed_at is null or body = '');
