alter table trials add column losses text not null default '[]';
