BEGIN TRANSACTION;
CREATE TABLE addresses (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	company VARCHAR(100) NOT NULL, 
	line1 VARCHAR(100) NOT NULL, 
	line2 VARCHAR(100) NOT NULL, 
	city VARCHAR(100) NOT NULL, 
	region VARCHAR(100) NOT NULL, 
	postal_code VARCHAR(20) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	phone VARCHAR(16), 
	is_default BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_addresses PRIMARY KEY (id), 
	CONSTRAINT fk_addresses_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "addresses" VALUES(1,1,'Ada Lind','','1 High Street','','London','','N1 9GU','GB',NULL,1,'2026-11-24 10:00:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('20261130_sold');
CREATE TABLE audit_entries (
	id INTEGER NOT NULL, 
	happened_at DATETIME NOT NULL, 
	actor_id INTEGER, 
	tag VARCHAR(60) NOT NULL, 
	subject_type VARCHAR(40) NOT NULL, 
	subject_id INTEGER, 
	details JSON NOT NULL, 
	origin VARCHAR(45) NOT NULL, 
	CONSTRAINT pk_audit_entries PRIMARY KEY (id), 
	CONSTRAINT fk_audit_entries_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id)
);
INSERT INTO "audit_entries" VALUES(1,'2026-11-24 10:00:00.000000',1,'card.locked','cards',5,'{"because": "lost"}','');
INSERT INTO "audit_entries" VALUES(2,'2026-11-24 10:00:00.000000',10,'host.blocked','blocked_hosts',1,'{"host": "bad.example"}','');
INSERT INTO "audit_entries" VALUES(3,'2026-11-27 10:00:00.000000',11,'credit.given','users',1,'{"amount": 500}','');
INSERT INTO "audit_entries" VALUES(4,'2026-11-27 10:00:00.000000',9,'order.placed','orders',1,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(5,'2026-11-28 10:00:00.000000',NULL,'order.expired','orders',1,'{}','');
INSERT INTO "audit_entries" VALUES(6,'2026-11-28 10:00:00.000000',2,'order.placed','orders',2,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(7,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',1,'{"amount": 1350}','');
INSERT INTO "audit_entries" VALUES(8,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',2,'{}','');
INSERT INTO "audit_entries" VALUES(9,'2026-11-28 10:00:00.000000',8,'order.placed','orders',3,'{"total": 2000}','');
INSERT INTO "audit_entries" VALUES(10,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',2,'{"amount": 2000}','');
INSERT INTO "audit_entries" VALUES(11,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',3,'{}','');
INSERT INTO "audit_entries" VALUES(12,'2026-11-28 10:00:00.000000',10,'order.processed','orders',3,'{}','');
INSERT INTO "audit_entries" VALUES(13,'2026-11-28 10:00:00.000000',6,'order.placed','orders',4,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(14,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',3,'{"amount": 1350}','');
INSERT INTO "audit_entries" VALUES(15,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',4,'{}','');
INSERT INTO "audit_entries" VALUES(16,'2026-11-28 10:00:00.000000',10,'order.shipped','orders',4,'{}','');
INSERT INTO "audit_entries" VALUES(17,'2026-11-28 10:00:00.000000',NULL,'user.made','users',13,'{}','');
INSERT INTO "audit_entries" VALUES(18,'2026-11-28 10:00:00.000000',NULL,'order.placed','orders',5,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(19,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',4,'{"amount": 1350}','');
INSERT INTO "audit_entries" VALUES(20,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',5,'{}','');
INSERT INTO "audit_entries" VALUES(21,'2026-11-28 10:00:00.000000',NULL,'order.delivered','orders',5,'{}','');
INSERT INTO "audit_entries" VALUES(22,'2026-11-28 10:00:00.000000',4,'order.placed','orders',6,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(23,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',5,'{"amount": 1350}','');
INSERT INTO "audit_entries" VALUES(24,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',6,'{}','');
INSERT INTO "audit_entries" VALUES(25,'2026-11-28 10:00:00.000000',NULL,'order.delivered','orders',6,'{}','');
INSERT INTO "audit_entries" VALUES(26,'2026-11-28 10:00:00.000000',5,'order.placed','orders',7,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(27,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',6,'{"amount": 1350}','');
INSERT INTO "audit_entries" VALUES(28,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',7,'{}','');
INSERT INTO "audit_entries" VALUES(29,'2026-11-28 10:00:00.000000',9,'order.placed','orders',8,'{"total": 2350}','');
INSERT INTO "audit_entries" VALUES(30,'2026-11-28 10:00:00.000000',10,'order.canceled','orders',8,'{}','');
INSERT INTO "audit_entries" VALUES(31,'2026-11-28 10:00:00.000000',3,'order.placed','orders',9,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(32,'2026-11-28 10:00:00.000000',3,'order.placed','orders',10,'{"total": 2750}','');
INSERT INTO "audit_entries" VALUES(33,'2026-11-28 10:00:00.000000',NULL,'payment.succeeded','payments',7,'{"amount": 2750}','');
INSERT INTO "audit_entries" VALUES(34,'2026-11-28 10:00:00.000000',NULL,'order.paid','orders',10,'{}','');
INSERT INTO "audit_entries" VALUES(35,'2026-11-30 10:00:00.000000',14,'user.signed_up','users',14,'{}','');
INSERT INTO "audit_entries" VALUES(36,'2026-11-30 10:00:00.000000',4,'user.email_change_asked','users',4,'{}','');
INSERT INTO "audit_entries" VALUES(37,'2026-11-30 10:00:00.000000',5,'user.email_change_asked','users',5,'{}','');
INSERT INTO "audit_entries" VALUES(38,'2026-11-30 10:00:00.000000',5,'user.email_changed','users',5,'{}','');
INSERT INTO "audit_entries" VALUES(39,'2026-11-30 10:00:00.000000',1,'card.offered','cards',6,'{"transfer": 1}','');
INSERT INTO "audit_entries" VALUES(40,'2026-11-30 10:00:00.000000',3,'user.two_factor_on','users',3,'{}','');
INSERT INTO "audit_entries" VALUES(41,'2026-11-30 10:00:00.000000',3,'user.recovery_code_used','users',3,'{}','');
INSERT INTO "audit_entries" VALUES(42,'2026-11-30 10:00:00.000000',9,'user.password_changed','users',9,'{}','');
INSERT INTO "audit_entries" VALUES(43,'2026-11-30 10:00:00.000000',2,'user.email_change_asked','users',2,'{}','');
INSERT INTO "audit_entries" VALUES(44,'2026-11-30 10:00:00.000000',8,'user.email_change_asked','users',8,'{}','');
INSERT INTO "audit_entries" VALUES(45,'2026-11-30 10:00:00.000000',1,'card.offered','cards',7,'{"transfer": 2}','');
INSERT INTO "audit_entries" VALUES(46,'2026-11-30 10:00:00.000000',2,'card.transferred','cards',7,'{"from_user": 1}','');
INSERT INTO "audit_entries" VALUES(47,'2026-11-30 10:00:00.000000',1,'card.offered','cards',2,'{"transfer": 3}','');
INSERT INTO "audit_entries" VALUES(48,'2026-11-30 10:00:00.000000',10,'design.rejected','designs',2,'{}','');
INSERT INTO "audit_entries" VALUES(49,'2026-11-30 10:00:00.000000',7,'user.closed','users',7,'{}','');
INSERT INTO "audit_entries" VALUES(50,'2026-11-30 10:00:00.000000',2,'order.placed','orders',11,'{"total": 2750}','');
INSERT INTO "audit_entries" VALUES(51,'2026-11-30 10:00:00.000000',8,'order.placed','orders',12,'{"total": 1350}','');
INSERT INTO "audit_entries" VALUES(52,'2026-11-30 10:00:00.000000',NULL,'payment.mismatched','payments',9,'{"amount": 1}','');
INSERT INTO "audit_entries" VALUES(53,'2026-11-30 10:00:00.000000',9,'order.placed','orders',13,'{"total": 4310}','');
CREATE TABLE blocked_hosts (
	id INTEGER NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	reason VARCHAR(200) NOT NULL, 
	blocked_by_id INTEGER, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_blocked_hosts PRIMARY KEY (id), 
	CONSTRAINT fk_blocked_hosts_blocked_by_id_users FOREIGN KEY(blocked_by_id) REFERENCES users (id), 
	CONSTRAINT uq_blocked_hosts_host UNIQUE (host)
);
INSERT INTO "blocked_hosts" VALUES(1,'bad.example','phishing',10,'2026-11-24 10:00:00.000000');
CREATE TABLE card_batches (
	id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_card_batches PRIMARY KEY (id), 
	CONSTRAINT uq_card_batches_name UNIQUE (name)
);
CREATE TABLE card_events (
	id INTEGER NOT NULL, 
	card_id INTEGER NOT NULL, 
	happened_at DATETIME NOT NULL, 
	actor_id INTEGER, 
	move VARCHAR(20) NOT NULL, 
	from_status VARCHAR(20), 
	to_status VARCHAR(20) NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_card_events PRIMARY KEY (id), 
	CONSTRAINT fk_card_events_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id), 
	CONSTRAINT fk_card_events_card_id_cards FOREIGN KEY(card_id) REFERENCES cards (id), 
	CONSTRAINT ck_card_events_cardmove CHECK (move IN ('make', 'claim', 'lock', 'unlock', 'transfer', 'release', 'replace', 'retire')), 
	CONSTRAINT ck_card_events_from_status CHECK (from_status IN ('unclaimed', 'active', 'locked', 'retired')), 
	CONSTRAINT ck_card_events_to_status CHECK (to_status IN ('unclaimed', 'active', 'locked', 'retired'))
);
INSERT INTO "card_events" VALUES(1,1,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(2,1,'2026-11-24 10:00:00.000000',1,'claim','unclaimed','active','');
INSERT INTO "card_events" VALUES(3,2,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(4,2,'2026-11-24 10:00:00.000000',1,'claim','unclaimed','active','');
INSERT INTO "card_events" VALUES(5,3,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(6,4,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(7,5,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(8,5,'2026-11-24 10:00:00.000000',1,'claim','unclaimed','active','');
INSERT INTO "card_events" VALUES(9,6,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(10,6,'2026-11-24 10:00:00.000000',1,'claim','unclaimed','active','');
INSERT INTO "card_events" VALUES(11,7,'2026-11-24 10:00:00.000000',NULL,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(12,7,'2026-11-24 10:00:00.000000',1,'claim','unclaimed','active','');
INSERT INTO "card_events" VALUES(13,5,'2026-11-24 10:00:00.000000',1,'lock','active','locked','lost');
INSERT INTO "card_events" VALUES(14,8,'2026-11-28 10:00:00.000000',8,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(15,9,'2026-11-28 10:00:00.000000',8,'make',NULL,'unclaimed','');
INSERT INTO "card_events" VALUES(16,7,'2026-11-30 10:00:00.000000',2,'transfer','active','active','');
CREATE TABLE card_holds (
	card_id INTEGER NOT NULL, 
	order_line_id INTEGER NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_card_holds PRIMARY KEY (card_id), 
	CONSTRAINT fk_card_holds_card_id_cards FOREIGN KEY(card_id) REFERENCES cards (id), 
	CONSTRAINT fk_card_holds_order_line_id_order_lines FOREIGN KEY(order_line_id) REFERENCES order_lines (id)
);
CREATE TABLE card_transfers (
	id INTEGER NOT NULL, 
	card_id INTEGER NOT NULL, 
	from_user_id INTEGER NOT NULL, 
	to_email VARCHAR(254) NOT NULL, 
	to_user_id INTEGER, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	outcome VARCHAR(20), 
	CONSTRAINT pk_card_transfers PRIMARY KEY (id), 
	CONSTRAINT ck_card_transfers_ended_somehow CHECK ((ended_at IS NULL) = (outcome IS NULL)), 
	CONSTRAINT fk_card_transfers_card_id_cards FOREIGN KEY(card_id) REFERENCES cards (id), 
	CONSTRAINT fk_card_transfers_from_user_id_users FOREIGN KEY(from_user_id) REFERENCES users (id), 
	CONSTRAINT fk_card_transfers_to_user_id_users FOREIGN KEY(to_user_id) REFERENCES users (id), 
	CONSTRAINT ck_card_transfers_transferoutcome CHECK (outcome IN ('accepted', 'declined', 'withdrawn', 'expired'))
);
INSERT INTO "card_transfers" VALUES(1,6,1,'jon@example.com',NULL,'2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000',NULL,NULL);
INSERT INTO "card_transfers" VALUES(2,7,1,'cleo@example.com',2,'2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000','2026-11-30 10:00:00.000000','accepted');
INSERT INTO "card_transfers" VALUES(3,2,1,'zoe@example.com',NULL,'2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000',NULL,NULL);
CREATE TABLE cards (
	id INTEGER NOT NULL, 
	token VARCHAR(20) NOT NULL, 
	design_id INTEGER, 
	owner_id INTEGER, 
	alias VARCHAR(60), 
	status VARCHAR(20) NOT NULL, 
	locked_because VARCHAR(20), 
	target VARCHAR(20), 
	reroute_url VARCHAR(2000), 
	reroute_host VARCHAR(255), 
	profile_id INTEGER, 
	is_blocked BOOLEAN NOT NULL, 
	claim_policy VARCHAR(20) NOT NULL, 
	claim_code VARCHAR(255), 
	claim_code_hash VARCHAR(64), 
	batch_id INTEGER, 
	chip_uid VARCHAR(20), 
	imported_tap_count INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	claimed_at DATETIME, replaced_by_id INTEGER CONSTRAINT fk_cards_replaced_by_id_cards REFERENCES cards (id), order_line_id INTEGER CONSTRAINT fk_cards_order_line_id_order_lines REFERENCES order_lines (id), 
	CONSTRAINT pk_cards PRIMARY KEY (id), 
	CONSTRAINT ck_cards_locked_has_reason CHECK ((status = 'locked') = (locked_because IS NOT NULL)), 
	CONSTRAINT ck_cards_active_has_owner CHECK (status <> 'active' OR owner_id IS NOT NULL), 
	CONSTRAINT ck_cards_unclaimed_has_no_owner CHECK (status <> 'unclaimed' OR owner_id IS NULL), 
	CONSTRAINT ck_cards_claimed_has_no_code CHECK (owner_id IS NULL OR claim_code IS NULL), 
	CONSTRAINT ck_cards_token_upper CHECK (token = upper(token)), 
	CONSTRAINT fk_cards_batch_id_card_batches FOREIGN KEY(batch_id) REFERENCES card_batches (id), 
	CONSTRAINT fk_cards_design_id_designs FOREIGN KEY(design_id) REFERENCES designs (id), 
	CONSTRAINT fk_cards_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id), 
	CONSTRAINT fk_cards_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES profiles (id) ON DELETE SET NULL, 
	CONSTRAINT uq_cards_chip_uid UNIQUE (chip_uid), 
	CONSTRAINT uq_cards_owner_id_alias UNIQUE (owner_id, alias), 
	CONSTRAINT uq_cards_token UNIQUE (token), 
	CONSTRAINT ck_cards_cardstatus CHECK (status IN ('unclaimed', 'active', 'locked', 'retired')), 
	CONSTRAINT ck_cards_lockedbecause CHECK (locked_because IN ('lost', 'abuse', 'closed')), 
	CONSTRAINT ck_cards_target CHECK (target IN ('url', 'profile', 'event')), 
	CONSTRAINT ck_cards_claimpolicy CHECK (claim_policy IN ('code', 'pay', 'open'))
);
INSERT INTO "cards" VALUES(1,'ADASCARD',1,1,'Everyday','active',NULL,'url','https://example.com/ada','example.com',NULL,0,'code',NULL,NULL,NULL,NULL,0,'2026-11-24 10:00:00.000000','2026-11-24 10:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES(2,'PAGECARD',NULL,1,NULL,'active',NULL,'profile',NULL,NULL,1,0,'code',NULL,NULL,NULL,NULL,0,'2026-11-24 10:00:00.000000','2026-11-24 10:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES(3,'NEWCARD',NULL,NULL,NULL,'unclaimed',NULL,NULL,NULL,NULL,NULL,0,'code','gAAAAABrDrc9cv-SSXZUYnzBYgcVLI-h4nm5oAcHID0x1v7CY2k5brAiNYpfsG4Jc5NXs8mS8feqQQ15j5pUWQ465VQdbAa7DA==','3d4cee26f874d3cd6d00c7928a1df38de20f4aa34cfa24e9fbd9b514d5e653f7',NULL,NULL,0,'2026-11-24 10:00:00.000000',NULL,NULL,NULL);
INSERT INTO "cards" VALUES(4,'PAYCARD',NULL,NULL,NULL,'unclaimed',NULL,NULL,NULL,NULL,NULL,0,'pay',NULL,NULL,NULL,NULL,0,'2026-11-24 10:00:00.000000',NULL,NULL,NULL);
INSERT INTO "cards" VALUES(5,'LOSTCARD',NULL,1,NULL,'locked','lost',NULL,NULL,NULL,NULL,0,'code',NULL,NULL,NULL,NULL,0,'2026-11-24 10:00:00.000000','2026-11-24 10:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES(6,'GIFTCARD',NULL,1,NULL,'active',NULL,NULL,NULL,NULL,NULL,0,'code',NULL,NULL,NULL,NULL,0,'2026-11-24 10:00:00.000000','2026-11-24 10:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES(7,'GAVECARD',NULL,2,NULL,'active',NULL,NULL,NULL,NULL,NULL,0,'code',NULL,NULL,NULL,NULL,0,'2026-11-24 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES(8,'4EQM2SKZ3C',1,NULL,NULL,'unclaimed',NULL,NULL,NULL,NULL,NULL,0,'code','gAAAAABrDrdBNQtKG4xsL8cfv26E1BsNEuvRciUIAGEbzpxIuTKFl6Pe7hn6EX4yIYEKmCVAzp3QXVd2j3SFBDlnlk8PHSV8Pg==','20843702a7820c26013625d4afdd1b869e8e87b06f87904a33cffa4d0a8f0f4c',NULL,NULL,0,'2026-11-28 10:00:00.000000',NULL,NULL,3);
INSERT INTO "cards" VALUES(9,'X6C8Q5QY53',1,NULL,NULL,'unclaimed',NULL,NULL,NULL,NULL,NULL,0,'code','gAAAAABrDrdBfSlWJMYVYI8ikZo1DYbF7hdh1u0k0k2dMqECKQESB16ttBtoGlvjRyxb3nBC0AQBfs9COFYWMpdvXC3B_O6w_w==','c981a94879c40d27a70acf0b749502488fa2ddf704475319838650ce1d6466e3',NULL,NULL,0,'2026-11-28 10:00:00.000000',NULL,NULL,3);
CREATE TABLE cart_lines (
	id INTEGER NOT NULL, 
	cart_id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	product_id INTEGER, 
	design_id INTEGER, 
	card_id INTEGER, 
	quantity INTEGER NOT NULL, 
	options JSON NOT NULL, 
	front_picture VARCHAR(80), 
	rear_picture VARCHAR(80), 
	pictures JSON NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	shown_amount BIGINT, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_cart_lines PRIMARY KEY (id), 
	CONSTRAINT ck_cart_lines_activates_a_card CHECK ((kind = 'activation') = (card_id IS NOT NULL)), 
	CONSTRAINT ck_cart_lines_sells_something CHECK (kind = 'activation' OR product_id IS NOT NULL), 
	CONSTRAINT ck_cart_lines_quantity_in_range CHECK (quantity BETWEEN 1 AND 500), 
	CONSTRAINT fk_cart_lines_card_id_cards FOREIGN KEY(card_id) REFERENCES cards (id), 
	CONSTRAINT fk_cart_lines_cart_id_carts FOREIGN KEY(cart_id) REFERENCES carts (id) ON DELETE CASCADE, 
	CONSTRAINT fk_cart_lines_design_id_designs FOREIGN KEY(design_id) REFERENCES designs (id), 
	CONSTRAINT fk_cart_lines_product_id_products FOREIGN KEY(product_id) REFERENCES products (id), 
	CONSTRAINT uq_cart_lines_cart_id_fingerprint UNIQUE (cart_id, fingerprint), 
	CONSTRAINT ck_cart_lines_linekind CHECK (kind IN ('goods', 'gift_pack', 'card', 'activation'))
);
INSERT INTO "cart_lines" VALUES(1,1,'goods',1,NULL,NULL,2,'{}',NULL,NULL,'[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1000,'2026-11-27 10:00:00.000000');
INSERT INTO "cart_lines" VALUES(2,2,'goods',2,NULL,NULL,1,'{}',NULL,NULL,'[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',2400,'2026-11-30 10:00:00.000000');
INSERT INTO "cart_lines" VALUES(3,1,'goods',2,NULL,NULL,1,'{}',NULL,NULL,'[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',2400,'2026-11-30 10:00:00.000000');
INSERT INTO "cart_lines" VALUES(4,9,'goods',1,NULL,NULL,2,'{}',NULL,NULL,'[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1000,'2026-11-30 10:00:00.000000');
INSERT INTO "cart_lines" VALUES(5,9,'goods',2,NULL,NULL,2,'{}',NULL,NULL,'[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',2400,'2026-11-30 10:00:00.000000');
INSERT INTO "cart_lines" VALUES(6,10,'goods',2,NULL,NULL,3,'{}',NULL,NULL,'[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',2400,'2026-11-30 10:00:00.000000');
CREATE TABLE carts (
	id INTEGER NOT NULL, 
	user_id INTEGER, 
	promotion_id INTEGER, 
	checkout JSON NOT NULL, 
	uses_credit BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_carts PRIMARY KEY (id), 
	CONSTRAINT fk_carts_promotion_id_promotions FOREIGN KEY(promotion_id) REFERENCES promotions (id), 
	CONSTRAINT fk_carts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_carts_user_id UNIQUE (user_id)
);
INSERT INTO "carts" VALUES(1,9,1,'{}',0,'2026-11-27 10:00:00.000000','2026-11-30 10:00:00.000000');
INSERT INTO "carts" VALUES(2,2,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-30 10:00:00.000000');
INSERT INTO "carts" VALUES(3,8,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-30 10:00:00.000000');
INSERT INTO "carts" VALUES(4,6,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "carts" VALUES(5,NULL,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "carts" VALUES(6,4,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "carts" VALUES(7,5,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "carts" VALUES(8,3,NULL,'{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "carts" VALUES(9,1,NULL,'{}',0,'2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000');
INSERT INTO "carts" VALUES(10,NULL,NULL,'{}',0,'2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000');
CREATE TABLE categories (
	id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	slug VARCHAR(120) NOT NULL, 
	parent_id INTEGER, 
	description TEXT NOT NULL, 
	picture VARCHAR(80), 
	position INTEGER NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	CONSTRAINT pk_categories PRIMARY KEY (id), 
	CONSTRAINT ck_categories_not_its_own_parent CHECK (parent_id IS NULL OR parent_id <> id), 
	CONSTRAINT fk_categories_parent_id_categories FOREIGN KEY(parent_id) REFERENCES categories (id), 
	CONSTRAINT uq_categories_slug UNIQUE (slug)
);
INSERT INTO "categories" VALUES(1,'Desk','desk',NULL,'','e43fdee1be1d35657b285afd4a75302e.webp',0,1);
CREATE TABLE collections (
	id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	slug VARCHAR(120) NOT NULL, 
	description TEXT NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	CONSTRAINT pk_collections PRIMARY KEY (id), 
	CONSTRAINT uq_collections_slug UNIQUE (slug), 
	CONSTRAINT ck_collections_collectionkind CHECK (kind IN ('brand', 'theme', 'season'))
);
CREATE TABLE credit_accounts (
	user_id INTEGER NOT NULL, 
	amount BIGINT NOT NULL, 
	CONSTRAINT pk_credit_accounts PRIMARY KEY (user_id), 
	CONSTRAINT ck_credit_accounts_amount_not_negative CHECK (amount >= 0), 
	CONSTRAINT fk_credit_accounts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "credit_accounts" VALUES(1,500);
CREATE TABLE credit_entries (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	amount BIGINT NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	order_id INTEGER, 
	actor_id INTEGER, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_credit_entries PRIMARY KEY (id), 
	CONSTRAINT fk_credit_entries_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id), 
	CONSTRAINT fk_credit_entries_order_id_orders FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_credit_entries_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "credit_entries" VALUES(1,1,500,'for the wait',NULL,11,'2026-11-27 10:00:00.000000');
CREATE TABLE delivery_methods (
	id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	amount BIGINT NOT NULL, 
	percent INTEGER NOT NULL, 
	free_from_amount BIGINT, 
	countries JSON NOT NULL, 
	locations JSON NOT NULL, 
	days_least INTEGER, 
	days_most INTEGER, 
	is_active BOOLEAN NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_delivery_methods PRIMARY KEY (id), 
	CONSTRAINT ck_delivery_methods_amount_in_range CHECK (amount BETWEEN 0 AND 1000000000), 
	CONSTRAINT ck_delivery_methods_free_from_not_negative CHECK (free_from_amount IS NULL OR free_from_amount >= 0), 
	CONSTRAINT ck_delivery_methods_percent_in_range CHECK (percent BETWEEN 0 AND 10000), 
	CONSTRAINT ck_delivery_methods_deliverykind CHECK (kind IN ('flat', 'percent', 'pickup', 'to_be_agreed'))
);
INSERT INTO "delivery_methods" VALUES(1,'Standard delivery','flat',350,0,NULL,'[]','[]',NULL,NULL,1,0);
CREATE TABLE designs (
	id INTEGER NOT NULL, 
	name VARCHAR(50) NOT NULL, 
	front_picture VARCHAR(80), 
	rear_picture VARCHAR(80), 
	is_public BOOLEAN NOT NULL, 
	owner_id INTEGER, 
	status VARCHAR(20) NOT NULL, 
	card_amount INTEGER, 
	activation_amount INTEGER, 
	created_at DATETIME NOT NULL, why_rejected VARCHAR(300) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_designs PRIMARY KEY (id), 
	CONSTRAINT ck_designs_activation_amount_not_negative CHECK (activation_amount IS NULL OR activation_amount >= 0), 
	CONSTRAINT ck_designs_card_amount_not_negative CHECK (card_amount IS NULL OR card_amount >= 0), 
	CONSTRAINT fk_designs_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id), 
	CONSTRAINT ck_designs_designstatus CHECK (status IN ('requested', 'approved', 'rejected'))
);
INSERT INTO "designs" VALUES(1,'Lake at dusk','e43fdee1be1d35657b285afd4a75302e.webp',NULL,1,NULL,'approved',NULL,NULL,'2026-11-24 10:00:00.000000','');
INSERT INTO "designs" VALUES(2,'Mine','e43fdee1be1d35657b285afd4a75302e.webp',NULL,0,8,'rejected',NULL,NULL,'2026-11-30 10:00:00.000000','Too small to print.');
CREATE TABLE display_rates (
	currency VARCHAR(3) NOT NULL, 
	rate NUMERIC(18, 8) NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_display_rates PRIMARY KEY (currency), 
	CONSTRAINT ck_display_rates_rate_positive CHECK (rate > 0)
);
INSERT INTO "display_rates" VALUES('EUR',1.2,'2026-11-27 10:00:00.000000');
CREATE TABLE enquiries (
	id INTEGER NOT NULL, 
	user_id INTEGER, 
	name VARCHAR(100) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	order_number VARCHAR(20) NOT NULL, 
	message VARCHAR(2000) NOT NULL, 
	created_at DATETIME NOT NULL, 
	answered_at DATETIME, 
	CONSTRAINT pk_enquiries PRIMARY KEY (id), 
	CONSTRAINT fk_enquiries_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "enquiries" VALUES(1,NULL,'Gus Lind','gus@example.com','TC-EH5V-8MBT','Where is it?','2026-11-30 10:00:00.000000',NULL);
CREATE TABLE former_slugs (
	id INTEGER NOT NULL, 
	slug VARCHAR(25) NOT NULL, 
	profile_id INTEGER NOT NULL, 
	left_at DATETIME NOT NULL, 
	CONSTRAINT pk_former_slugs PRIMARY KEY (id), 
	CONSTRAINT fk_former_slugs_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES profiles (id) ON DELETE CASCADE, 
	CONSTRAINT uq_former_slugs_slug UNIQUE (slug)
);
CREATE TABLE leads (
	id INTEGER NOT NULL, 
	owner_id INTEGER NOT NULL, 
	profile_id INTEGER, 
	card_id INTEGER, 
	name VARCHAR(60) NOT NULL, 
	email VARCHAR(254), 
	phone VARCHAR(16), 
	note VARCHAR(500) NOT NULL, 
	consent_text VARCHAR(500) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_leads PRIMARY KEY (id), 
	CONSTRAINT ck_leads_reachable CHECK (email IS NOT NULL OR phone IS NOT NULL), 
	CONSTRAINT fk_leads_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id), 
	CONSTRAINT fk_leads_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES profiles (id) ON DELETE SET NULL
);
INSERT INTO "leads" VALUES(1,1,1,NULL,'Gus Lind','gus@example.com',NULL,'Hello','I agree.','2026-11-30 10:00:00.000000');
CREATE TABLE line_grants (
	order_line_id INTEGER NOT NULL, 
	granted_at DATETIME NOT NULL, 
	CONSTRAINT pk_line_grants PRIMARY KEY (order_line_id), 
	CONSTRAINT fk_line_grants_order_line_id_order_lines FOREIGN KEY(order_line_id) REFERENCES order_lines (id)
);
INSERT INTO "line_grants" VALUES(2,'2026-11-28 10:00:00.000000');
INSERT INTO "line_grants" VALUES(3,'2026-11-28 10:00:00.000000');
INSERT INTO "line_grants" VALUES(4,'2026-11-28 10:00:00.000000');
INSERT INTO "line_grants" VALUES(5,'2026-11-28 10:00:00.000000');
INSERT INTO "line_grants" VALUES(6,'2026-11-28 10:00:00.000000');
INSERT INTO "line_grants" VALUES(7,'2026-11-28 10:00:00.000000');
INSERT INTO "line_grants" VALUES(10,'2026-11-28 10:00:00.000000');
CREATE TABLE link_tokens (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	purpose VARCHAR(20) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT pk_link_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_link_tokens_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_link_tokens_token_hash UNIQUE (token_hash), 
	CONSTRAINT ck_link_tokens_linkpurpose CHECK (purpose IN ('verify_email', 'set_password', 'change_email', 'undo_email'))
);
INSERT INTO "link_tokens" VALUES(1,14,'verify_email','e533f1e2851907276fe9b08615b5d2bacab0b1398d6b59187672e05735981f8a','dan@example.com','2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000',NULL);
INSERT INTO "link_tokens" VALUES(2,6,'set_password','14988e79ca798d88a9511226d9e06773e8886504facc31377e3c20437c35f4cc','hal@example.com','2026-11-30 10:00:00.000000','2026-11-30 11:00:00.000000',NULL);
INSERT INTO "link_tokens" VALUES(3,4,'change_email','b7faef81271c17c59d7bb441719de8620b6ac90f5df9dc1250123ba3ea18024a','flo.new@example.com','2026-11-30 10:00:00.000000','2026-12-01 10:00:00.000000',NULL);
INSERT INTO "link_tokens" VALUES(4,5,'change_email','5128daa032b1582291729c1d9b4abb87fdc9134da5d2e2e028bb33891db8553b','gil.new@example.com','2026-11-30 10:00:00.000000','2026-12-01 10:00:00.000000','2026-11-30 10:00:00.000000');
INSERT INTO "link_tokens" VALUES(5,5,'undo_email','a793a11d202317da2a3df75aef2020e02236553c05532126c45b4324246c829d','gil@example.com','2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000',NULL);
INSERT INTO "link_tokens" VALUES(6,2,'change_email','551138ce8be94a9deb16185fa3716a18334a994cf6d756d9b96c44f044ed72b9','cleo.new@example.com','2026-11-30 10:00:00.000000','2026-12-01 10:00:00.000000',NULL);
INSERT INTO "link_tokens" VALUES(7,8,'change_email','170917b35c2385e12e5e0c4ef4ce9d655e7a17afff575530ebd8036e7f9dc2f5','jon.new@example.com','2026-11-30 10:00:00.000000','2026-12-01 10:00:00.000000',NULL);
INSERT INTO "link_tokens" VALUES(8,5,'undo_email','484e72c1e6ac899e9313d69c55f6bd96812909952707e15ed671e68702a8d3db','gil@example.com','2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000',NULL);
CREATE TABLE order_events (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	happened_at DATETIME NOT NULL, 
	actor_id INTEGER, 
	move VARCHAR(20) NOT NULL, 
	from_status VARCHAR(20), 
	to_status VARCHAR(20) NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_order_events PRIMARY KEY (id), 
	CONSTRAINT fk_order_events_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id), 
	CONSTRAINT fk_order_events_order_id_orders FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT ck_order_events_ordermove CHECK (move IN ('place', 'pay', 'process', 'ship', 'deliver', 'cancel', 'expire', 'refund')), 
	CONSTRAINT ck_order_events_from_status CHECK (from_status IN ('pending', 'paid', 'processing', 'shipped', 'delivered', 'canceled', 'expired', 'refunded')), 
	CONSTRAINT ck_order_events_to_status CHECK (to_status IN ('pending', 'paid', 'processing', 'shipped', 'delivered', 'canceled', 'expired', 'refunded'))
);
INSERT INTO "order_events" VALUES(1,1,'2026-11-27 10:00:00.000000',9,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(2,1,'2026-11-28 10:00:00.000000',NULL,'expire','pending','expired','');
INSERT INTO "order_events" VALUES(3,2,'2026-11-28 10:00:00.000000',2,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(4,2,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(5,3,'2026-11-28 10:00:00.000000',8,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(6,3,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(7,3,'2026-11-28 10:00:00.000000',10,'process','paid','processing','');
INSERT INTO "order_events" VALUES(8,4,'2026-11-28 10:00:00.000000',6,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(9,4,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(10,4,'2026-11-28 10:00:00.000000',10,'ship','paid','shipped','');
INSERT INTO "order_events" VALUES(11,5,'2026-11-28 10:00:00.000000',NULL,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(12,5,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(13,5,'2026-11-28 10:00:00.000000',NULL,'deliver','paid','delivered','');
INSERT INTO "order_events" VALUES(14,6,'2026-11-28 10:00:00.000000',4,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(15,6,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(16,6,'2026-11-28 10:00:00.000000',NULL,'deliver','paid','delivered','');
INSERT INTO "order_events" VALUES(17,7,'2026-11-28 10:00:00.000000',5,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(18,7,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(19,7,'2026-11-28 10:00:00.000000',11,'refund','paid','refunded','did not like it');
INSERT INTO "order_events" VALUES(20,8,'2026-11-28 10:00:00.000000',9,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(21,8,'2026-11-28 10:00:00.000000',10,'cancel','pending','canceled','asked by phone');
INSERT INTO "order_events" VALUES(22,9,'2026-11-28 10:00:00.000000',3,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(23,9,'2026-11-28 10:00:00.000000',3,'cancel','pending','canceled','ordered anew');
INSERT INTO "order_events" VALUES(24,10,'2026-11-28 10:00:00.000000',3,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(25,10,'2026-11-28 10:00:00.000000',NULL,'pay','pending','paid','');
INSERT INTO "order_events" VALUES(26,11,'2026-11-30 10:00:00.000000',2,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(27,12,'2026-11-30 10:00:00.000000',8,'place',NULL,'pending','');
INSERT INTO "order_events" VALUES(28,13,'2026-11-30 10:00:00.000000',9,'place',NULL,'pending','');
CREATE TABLE order_lines (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	product_id INTEGER, 
	design_id INTEGER, 
	card_token VARCHAR(20), 
	title VARCHAR(255) NOT NULL, 
	sku VARCHAR(100) NOT NULL, 
	picture VARCHAR(80), 
	options JSON NOT NULL, 
	pictures JSON NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	quantity INTEGER NOT NULL, 
	unit_amount BIGINT NOT NULL, 
	line_amount BIGINT NOT NULL, 
	discount_amount BIGINT NOT NULL, 
	tax_rate INTEGER NOT NULL, 
	tax_amount BIGINT NOT NULL, 
	stock_taken INTEGER NOT NULL, 
	production_status VARCHAR(20), design_name VARCHAR(50) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_order_lines PRIMARY KEY (id), 
	CONSTRAINT ck_order_lines_activates_a_card CHECK ((kind = 'activation') = (card_token IS NOT NULL)), 
	CONSTRAINT ck_order_lines_cards_are_produced CHECK ((kind = 'card') = (production_status IS NOT NULL)), 
	CONSTRAINT ck_order_lines_discount_in_range CHECK (discount_amount BETWEEN 0 AND line_amount), 
	CONSTRAINT ck_order_lines_line_adds_up CHECK (line_amount = unit_amount * quantity), 
	CONSTRAINT ck_order_lines_quantity_in_range CHECK (quantity BETWEEN 1 AND 500), 
	CONSTRAINT ck_order_lines_stock_taken_in_range CHECK (stock_taken BETWEEN 0 AND quantity), 
	CONSTRAINT ck_order_lines_unit_amount_not_negative CHECK (unit_amount >= 0), 
	CONSTRAINT fk_order_lines_design_id_designs FOREIGN KEY(design_id) REFERENCES designs (id), 
	CONSTRAINT fk_order_lines_order_id_orders FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_order_lines_product_id_products FOREIGN KEY(product_id) REFERENCES products (id), 
	CONSTRAINT ck_order_lines_linekind CHECK (kind IN ('goods', 'gift_pack', 'card', 'activation')), 
	CONSTRAINT ck_order_lines_productionstatus CHECK (production_status IN ('queued', 'printed', 'adhered', 'packed'))
);
INSERT INTO "order_lines" VALUES(1,1,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,0,NULL,'');
INSERT INTO "order_lines" VALUES(2,2,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,1,NULL,'');
INSERT INTO "order_lines" VALUES(3,3,'card',3,1,NULL,'Card','CARD','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','ac28834e424751c56fb01b579b598b739cc1f7c0250d3e2ea261d6d245cf83a1',2,1000,2000,0,0,0,2,'queued','Lake at dusk');
INSERT INTO "order_lines" VALUES(4,4,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,1,NULL,'');
INSERT INTO "order_lines" VALUES(5,5,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,1,NULL,'');
INSERT INTO "order_lines" VALUES(6,6,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,1,NULL,'');
INSERT INTO "order_lines" VALUES(7,7,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,1,NULL,'');
INSERT INTO "order_lines" VALUES(8,8,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',2,1000,2000,0,2000,392,0,NULL,'');
INSERT INTO "order_lines" VALUES(9,9,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,0,NULL,'');
INSERT INTO "order_lines" VALUES(10,10,'goods',2,NULL,NULL,'Émaillé bottle','EMAILLE-BOTTLE',NULL,'[]','[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',1,2400,2400,0,0,0,1,NULL,'');
INSERT INTO "order_lines" VALUES(11,11,'goods',2,NULL,NULL,'Émaillé bottle','EMAILLE-BOTTLE',NULL,'[]','[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',1,2400,2400,0,0,0,1,NULL,'');
INSERT INTO "order_lines" VALUES(12,12,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',1,1000,1000,0,2000,225,1,NULL,'');
INSERT INTO "order_lines" VALUES(13,13,'goods',1,NULL,NULL,'Moorland journal','MOORLAND-JOURNAL','e43fdee1be1d35657b285afd4a75302e.webp','[]','[]','179a379535ceb577305ffe12876cccab4dbafbd2faf3306c4ed88ae36b871695',2,1000,2000,200,2000,327,2,NULL,'');
INSERT INTO "order_lines" VALUES(14,13,'goods',2,NULL,NULL,'Émaillé bottle','EMAILLE-BOTTLE',NULL,'[]','[]','89b8dbe2e0ed86e49bec806e6b203a5f7606e72c418222a12fd09d8cf874bbd4',1,2400,2400,240,0,0,1,NULL,'');
CREATE TABLE orders (
	id INTEGER NOT NULL, 
	number VARCHAR(20) NOT NULL, 
	user_id INTEGER, 
	cart_id INTEGER, 
	email VARCHAR(254) NOT NULL, 
	first_name VARCHAR(50) NOT NULL, 
	last_name VARCHAR(50) NOT NULL, 
	phone VARCHAR(16), 
	address JSON NOT NULL, 
	note VARCHAR(500) NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	subtotal_amount BIGINT NOT NULL, 
	discount_amount BIGINT NOT NULL, 
	delivery_amount BIGINT NOT NULL, 
	credit_amount BIGINT NOT NULL, 
	total_amount BIGINT NOT NULL, 
	tax_amount BIGINT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	is_oversold BOOLEAN NOT NULL, 
	promotion_id INTEGER, 
	promotion_code VARCHAR(40) NOT NULL, 
	delivery_method_id INTEGER, 
	delivery_name VARCHAR(100) NOT NULL, 
	delivery_location VARCHAR(100) NOT NULL, 
	carrier VARCHAR(60) NOT NULL, 
	tracking_number VARCHAR(80) NOT NULL, 
	placed_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	paid_at DATETIME, 
	shipped_at DATETIME, 
	delivered_at DATETIME, 
	version INTEGER NOT NULL, is_delivery_open BOOLEAN DEFAULT 0 NOT NULL, promotion_customers JSON DEFAULT '[]' NOT NULL, 
	CONSTRAINT pk_orders PRIMARY KEY (id), 
	CONSTRAINT ck_orders_credit_not_negative CHECK (credit_amount >= 0), 
	CONSTRAINT ck_orders_delivery_not_negative CHECK (delivery_amount >= 0), 
	CONSTRAINT ck_orders_discount_in_range CHECK (discount_amount BETWEEN 0 AND subtotal_amount), 
	CONSTRAINT ck_orders_subtotal_not_negative CHECK (subtotal_amount >= 0), 
	CONSTRAINT ck_orders_adds_up CHECK (total_amount = subtotal_amount - discount_amount + delivery_amount - credit_amount), 
	CONSTRAINT ck_orders_total_not_negative CHECK (total_amount >= 0), 
	CONSTRAINT fk_orders_cart_id_carts FOREIGN KEY(cart_id) REFERENCES carts (id) ON DELETE SET NULL, 
	CONSTRAINT fk_orders_delivery_method_id_delivery_methods FOREIGN KEY(delivery_method_id) REFERENCES delivery_methods (id), 
	CONSTRAINT fk_orders_promotion_id_promotions FOREIGN KEY(promotion_id) REFERENCES promotions (id), 
	CONSTRAINT fk_orders_user_id_users FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT uq_orders_number UNIQUE (number), 
	CONSTRAINT ck_orders_orderstatus CHECK (status IN ('pending', 'paid', 'processing', 'shipped', 'delivered', 'canceled', 'expired', 'refunded'))
);
INSERT INTO "orders" VALUES(1,'TC-8TZD-Z6FD',9,1,'kim@example.com','Kim','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'expired',0,NULL,'',1,'Standard delivery','','','','2026-11-27 10:00:00.000000','2026-11-27 11:30:00.000000','2026-11-28 10:00:00.000000',NULL,NULL,NULL,2,0,'[]');
INSERT INTO "orders" VALUES(2,'TC-KQ9Y-ACCP',2,2,'cleo@example.com','Cleo','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'paid',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000',NULL,NULL,2,0,'[]');
INSERT INTO "orders" VALUES(3,'TC-3ZEK-M387',8,3,'jon@example.com','Jon','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',2000,0,0,0,2000,0,'processing',0,NULL,'',NULL,'','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000',NULL,NULL,3,1,'[]');
INSERT INTO "orders" VALUES(4,'TC-VGQ9-QJ5M',6,4,'hal@example.com','Hal','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'shipped',0,NULL,'',1,'Standard delivery','','Royal Mail','RM1','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000',NULL,3,0,'[]');
INSERT INTO "orders" VALUES(5,'TC-EH5V-8MBT',13,5,'gus@example.com','Gus','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'delivered',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000',NULL,'2026-11-28 10:00:00.000000',3,0,'[]');
INSERT INTO "orders" VALUES(6,'TC-C93V-DS4Z',4,6,'flo@example.com','Flo','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'delivered',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000',NULL,'2026-11-28 10:00:00.000000',3,0,'[]');
INSERT INTO "orders" VALUES(7,'TC-3YCP-YSX8',5,7,'gil@example.com','Gil','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'refunded',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000',NULL,NULL,3,0,'[]');
INSERT INTO "orders" VALUES(8,'TC-XMRP-7G38',9,1,'kim@example.com','Kim','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',2000,0,350,0,2350,392,'canceled',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000','2026-11-28 10:00:00.000000',NULL,NULL,NULL,2,0,'[]');
INSERT INTO "orders" VALUES(9,'TC-FHPY-Q87S',3,8,'eve@example.com','Eve','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'canceled',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000','2026-11-28 10:00:00.000000',NULL,NULL,NULL,2,0,'[]');
INSERT INTO "orders" VALUES(10,'TC-5E8A-874F',3,8,'eve@example.com','Eve','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',2400,0,350,0,2750,0,'paid',0,NULL,'',1,'Standard delivery','','','','2026-11-28 10:00:00.000000','2026-11-28 11:30:00.000000',NULL,'2026-11-28 10:00:00.000000',NULL,NULL,2,0,'[]');
INSERT INTO "orders" VALUES(11,'TC-JBW8-FF9D',2,2,'cleo@example.com','Cleo','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',2400,0,350,0,2750,0,'pending',0,NULL,'',1,'Standard delivery','','','','2026-11-30 10:00:00.000000','2026-11-30 11:30:00.000000',NULL,NULL,NULL,NULL,1,0,'[]');
INSERT INTO "orders" VALUES(12,'TC-M8YT-BZR8',8,3,'jon@example.com','Jon','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',1000,0,350,0,1350,225,'pending',0,NULL,'',1,'Standard delivery','','','','2026-11-30 10:00:00.000000','2026-12-07 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,'[]');
INSERT INTO "orders" VALUES(13,'TC-8HRD-AEBF',9,1,'kim@example.com','Kim','Lind',NULL,'{"name": "Gus Lind", "company": "", "line1": "1 High Street", "line2": "", "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": null}','','GBP',4400,440,350,0,4310,327,'pending',0,1,'WELCOME10',1,'Standard delivery','','','','2026-11-30 10:00:00.000000','2026-11-30 11:30:00.000000',NULL,NULL,NULL,NULL,2,0,'["6c0fc5045c9e01b441d58b64ee77f733c920e33c6c852fb0c5774203a29d3bbb", "9d75e40d1148d88679e5a789ae174454d4e0937dafea7b2c07708d662f69ecff"]');
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	kind VARCHAR(60) NOT NULL, 
	payload JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	due_at DATETIME NOT NULL, 
	attempt_count INTEGER NOT NULL, 
	done_at DATETIME, 
	failed_at DATETIME, 
	error VARCHAR(500) NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (id)
);
INSERT INTO "outbox" VALUES(1,'mail.order_received','{"order_id": 1}','2026-11-27 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(2,'mail.order_received','{"order_id": 2}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(3,'mail.order_paid','{"order_id": 2}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(4,'mail.order_to_owner','{"order_id": 2}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(5,'mail.order_received','{"order_id": 3}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(6,'mail.order_paid','{"order_id": 3}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(7,'mail.order_to_owner','{"order_id": 3}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(8,'mail.order_received','{"order_id": 4}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(9,'mail.order_paid','{"order_id": 4}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(10,'mail.order_to_owner','{"order_id": 4}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(11,'mail.order_shipped','{"order_id": 4}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(12,'mail.order_received','{"order_id": 5}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(13,'mail.order_paid','{"order_id": 5}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(14,'mail.order_to_owner','{"order_id": 5}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(15,'mail.order_delivered','{"order_id": 5}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(16,'mail.order_received','{"order_id": 6}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(17,'mail.order_paid','{"order_id": 6}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(18,'mail.order_to_owner','{"order_id": 6}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(19,'mail.order_delivered','{"order_id": 6}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(20,'mail.order_received','{"order_id": 7}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(21,'mail.order_paid','{"order_id": 7}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(22,'mail.order_to_owner','{"order_id": 7}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(23,'mail.order_received','{"order_id": 8}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(24,'mail.order_canceled','{"order_id": 8}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(25,'mail.order_received','{"order_id": 9}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(26,'mail.order_received','{"order_id": 10}','2026-11-28 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(27,'mail.order_paid','{"order_id": 10}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(28,'mail.order_to_owner','{"order_id": 10}','2026-11-28 10:00:00.000000','2026-11-28 10:05:00.000000',1,'2026-11-28 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(29,'mail.verify_email','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(30,'mail.set_password','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(31,'mail.email_change','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(32,'mail.email_change','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(33,'mail.email_changed','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(34,'mail.order_link','{"order_id": 5}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(35,'mail.order_delivered','{"order_id": 5}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(36,'mail.newsletter_confirm','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(37,'mail.newsletter_confirm','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(38,'mail.card_offered','{}','2026-11-30 10:00:00.000000','2026-11-30 10:05:00.000000',1,'2026-11-30 10:00:00.000000',NULL,'');
INSERT INTO "outbox" VALUES(39,'mail.two_factor_on','{"user_id": 3}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(40,'mail.recovery_code_used','{"user_id": 3}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(41,'mail.verify_email','{"user_id": 14}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(42,'mail.set_password','{"email": "kim@example.com"}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(43,'mail.password_changed','{"user_id": 9}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(44,'mail.two_factor_off','{"user_id": 8}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(45,'mail.email_change','{"link_id": 6}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(46,'mail.email_change','{"link_id": 7}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(47,'mail.lead_received','{"lead_id": 1}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(48,'mail.card_found','{"card_id": 5, "owner_id": 1, "message": "Found in the tram.", "answer_to": "finder@example.com"}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(49,'mail.card_offered','{"transfer_id": 2}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(50,'mail.offer_answered','{"transfer_id": 2}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(51,'mail.card_offered','{"transfer_id": 3}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(52,'mail.enquiry','{"enquiry_id": 1, "to": "olu@example.com"}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(53,'mail.newsletter_confirm','{"subscriber_id": 3}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(54,'mail.weekly','{"user_id": 1, "monday": "2026-11-30"}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(55,'mail.artwork_decided','{"design_id": 2, "order_id": null}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(56,'file.delete_unused','{"name": "43c5896b0d1854ec52805642281ebf20.webp", "user_id": 1}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(57,'mail.account_closed','{"user_id": 7}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(58,'mail.email_changed','{"link_id": 8}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(59,'mail.order_received','{"order_id": 11}','2026-11-30 10:00:00.000000','2026-11-30 10:10:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(60,'mail.order_received','{"order_id": 12}','2026-11-30 10:00:00.000000','2026-11-30 10:10:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(61,'mail.order_received','{"order_id": 12, "payment_id": 8}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(62,'mail.order_to_owner','{"order_id": 12, "payment_id": 8}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(63,'mail.order_shipped','{"order_id": 4}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(64,'mail.order_delivered','{"order_id": 5}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(65,'mail.order_canceled','{"order_id": 8}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(66,'mail.order_link','{"order_id": 5}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(67,'mail.order_paid','{"order_id": 2}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(68,'mail.payment_needs_care','{"payment_id": 9}','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',0,NULL,NULL,'');
INSERT INTO "outbox" VALUES(69,'mail.order_received','{"order_id": 13}','2026-11-30 10:00:00.000000','2026-11-30 10:10:00.000000',0,NULL,NULL,'');
CREATE TABLE payments (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	gateway VARCHAR(20) NOT NULL, 
	public_id VARCHAR(43) NOT NULL, 
	reference VARCHAR(255), 
	amount BIGINT NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	captured_amount BIGINT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	started_by_id INTEGER, 
	pay_url VARCHAR(2000) NOT NULL, 
	evidence JSON NOT NULL, 
	refund_proposed BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	settled_at DATETIME, 
	CONSTRAINT pk_payments PRIMARY KEY (id), 
	CONSTRAINT ck_payments_amount_positive CHECK (amount > 0), 
	CONSTRAINT ck_payments_captured_not_negative CHECK (captured_amount >= 0), 
	CONSTRAINT fk_payments_order_id_orders FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_payments_started_by_id_users FOREIGN KEY(started_by_id) REFERENCES users (id), 
	CONSTRAINT uq_payments_gateway_reference UNIQUE (gateway, reference), 
	CONSTRAINT uq_payments_public_id UNIQUE (public_id), 
	CONSTRAINT ck_payments_paymentstatus CHECK (status IN ('created', 'pending', 'succeeded', 'failed', 'canceled', 'expired', 'mismatch'))
);
INSERT INTO "payments" VALUES(1,2,'sandbox','T9anl65UksJsAlVMXSCCIGG5z1yeeTaaLYnrnYrEphc','ref-1',1350,'GBP',1350,'succeeded',2,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(2,3,'sandbox','p-ojAH9z4_2jMs-GI9Rl6WJULiXekteDtYSPoR8lb5Q','ref-2',2000,'GBP',2000,'succeeded',8,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(3,4,'sandbox','4uzURYswB4teCVBvr4mTmzGEp7XLShuE28NpORWi-Kw','ref-3',1350,'GBP',1350,'succeeded',6,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(4,5,'sandbox','4qaj6JAP3eAodvh6O0sGItjQHCdDdl9Ik-LmJvczucI','ref-4',1350,'GBP',1350,'succeeded',13,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(5,6,'sandbox','WHUMgyEv_30C-PCkr29edtmA6jSedPevM1NLom-TMc4','ref-5',1350,'GBP',1350,'succeeded',4,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(6,7,'sandbox','1Brj9XREa2vD62ufRSsR0poYxvJmkV7zp5uTV0vlbg4','ref-6',1350,'GBP',1350,'succeeded',5,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(7,10,'sandbox','b4rqMYenkWJmI_3R3mhbXU-etRdV1roObXCNUWkTYHo','ref-7',2750,'GBP',2750,'succeeded',3,'','{}',0,'2026-11-28 10:00:00.000000','2026-11-28 10:00:00.000000');
INSERT INTO "payments" VALUES(8,12,'offline','p5rr3DZNBbYOwe8w5ccD2DJLpZHVuBoP7yqCDD0Jws4','p5rr3DZNBbYOwe8w5ccD2DJLpZHVuBoP7yqCDD0Jws4',1350,'GBP',0,'pending',8,'','{}',0,'2026-11-30 10:00:00.000000',NULL);
INSERT INTO "payments" VALUES(9,11,'sandbox','81SeIdUPR3kI4N42mnYCcenGoazcWCnWnLSDdH2aUQY','ref-9',2750,'GBP',1,'mismatch',2,'','{}',1,'2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000');
CREATE TABLE product_collections (
	product_id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	CONSTRAINT pk_product_collections PRIMARY KEY (product_id, collection_id), 
	CONSTRAINT fk_product_collections_collection_id_collections FOREIGN KEY(collection_id) REFERENCES collections (id) ON DELETE CASCADE, 
	CONSTRAINT fk_product_collections_product_id_products FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE TABLE product_options (
	id INTEGER NOT NULL, 
	product_id INTEGER NOT NULL, 
	"key" VARCHAR(40) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	label VARCHAR(100) NOT NULL, 
	is_required BOOLEAN NOT NULL, 
	max_length INTEGER, 
	choices JSON NOT NULL, 
	extra_amount BIGINT NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_product_options PRIMARY KEY (id), 
	CONSTRAINT ck_product_options_extra_amount_in_range CHECK (extra_amount BETWEEN 0 AND 1000000000), 
	CONSTRAINT ck_product_options_max_length_in_range CHECK (max_length IS NULL OR max_length BETWEEN 1 AND 2000), 
	CONSTRAINT fk_product_options_product_id_products FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE, 
	CONSTRAINT uq_product_options_product_id_key UNIQUE (product_id, "key"), 
	CONSTRAINT ck_product_options_optionkind CHECK (kind IN ('text', 'long_text', 'choice', 'color', 'picture', 'location', 'phone'))
);
INSERT INTO "product_options" VALUES(1,1,'inscription','text','Inscription',0,NULL,'[]',0,0);
CREATE TABLE product_pictures (
	id INTEGER NOT NULL, 
	product_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	alt VARCHAR(200) NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_product_pictures PRIMARY KEY (id), 
	CONSTRAINT fk_product_pictures_product_id_products FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE
);
INSERT INTO "product_pictures" VALUES(1,1,'e43fdee1be1d35657b285afd4a75302e.webp','A journal',0);
CREATE TABLE products (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	slug VARCHAR(120) NOT NULL, 
	sku VARCHAR(100) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	category_id INTEGER, 
	unit_amount BIGINT NOT NULL, 
	discount_percent INTEGER NOT NULL, 
	price_amount BIGINT NOT NULL GENERATED ALWAYS AS ((unit_amount * (100 - discount_percent) + 50) / 100) STORED, 
	promo_text VARCHAR(255) NOT NULL, 
	size VARCHAR(100) NOT NULL, 
	material VARCHAR(100) NOT NULL, 
	color VARCHAR(100) NOT NULL, 
	details TEXT NOT NULL, 
	stock INTEGER, 
	availability VARCHAR(20) NOT NULL, 
	available_on DATE, 
	tax_rate INTEGER NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	is_featured BOOLEAN NOT NULL, 
	page_title VARCHAR(255) NOT NULL, 
	page_description VARCHAR(500) NOT NULL, 
	search_text TEXT NOT NULL, 
	rating_count INTEGER NOT NULL, 
	rating_sum INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_products PRIMARY KEY (id), 
	CONSTRAINT ck_products_discount_percent_in_range CHECK (discount_percent BETWEEN 0 AND 100), 
	CONSTRAINT ck_products_stock_not_negative CHECK (stock IS NULL OR stock >= 0), 
	CONSTRAINT ck_products_tax_rate_in_range CHECK (tax_rate BETWEEN 0 AND 10000), 
	CONSTRAINT ck_products_unit_amount_in_range CHECK (unit_amount BETWEEN 0 AND 1000000000), 
	CONSTRAINT fk_products_category_id_categories FOREIGN KEY(category_id) REFERENCES categories (id), 
	CONSTRAINT uq_products_sku UNIQUE (sku), 
	CONSTRAINT uq_products_slug UNIQUE (slug), 
	CONSTRAINT ck_products_productkind CHECK (kind IN ('card', 'goods', 'gift_pack')), 
	CONSTRAINT ck_products_availability CHECK (availability IN ('in_stock', 'out_of_stock', 'pre_order'))
);
INSERT INTO "products" VALUES(1,'Moorland journal','moorland-journal','MOORLAND-JOURNAL','goods',1,1000,0,'','','','','',NULL,'in_stock',NULL,2000,1,0,'','','moorland journal




moorland-journal',0,0,'2026-11-27 10:00:00.000000',1);
INSERT INTO "products" VALUES(2,'Émaillé bottle','emaille-bottle','EMAILLE-BOTTLE','goods',NULL,2400,0,'','','','','',7,'in_stock',NULL,0,1,0,'','','émaillé bottle




emaille-bottle',0,0,'2026-11-27 10:00:00.000000',1);
INSERT INTO "products" VALUES(3,'Card','card','CARD','card',NULL,1000,0,'','','','','',NULL,'in_stock',NULL,0,1,0,'','','card




card',0,0,'2026-11-28 10:00:00.000000',1);
CREATE TABLE profile_actions (
	id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	card_id INTEGER, 
	kind VARCHAR(20) NOT NULL, 
	detail VARCHAR(100) NOT NULL, 
	happened_at DATETIME NOT NULL, 
	visitor VARCHAR(32), 
	is_bot BOOLEAN NOT NULL, 
	is_own BOOLEAN NOT NULL, 
	CONSTRAINT pk_profile_actions PRIMARY KEY (id), 
	CONSTRAINT fk_profile_actions_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES profiles (id) ON DELETE CASCADE, 
	CONSTRAINT ck_profile_actions_profileactionkind CHECK (kind IN ('contact_saved', 'link_opened', 'lead_sent'))
);
CREATE TABLE profile_links (
	id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	title VARCHAR(80) NOT NULL, 
	url VARCHAR(2000) NOT NULL, 
	is_shown BOOLEAN NOT NULL, 
	CONSTRAINT pk_profile_links PRIMARY KEY (id), 
	CONSTRAINT fk_profile_links_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES profiles (id) ON DELETE CASCADE
);
CREATE TABLE profiles (
	id INTEGER NOT NULL, 
	owner_id INTEGER NOT NULL, 
	slug VARCHAR(25) NOT NULL, 
	name VARCHAR(60) NOT NULL, 
	headline VARCHAR(80), 
	company VARCHAR(80), 
	bio VARCHAR(1000), 
	email VARCHAR(254), 
	phone VARCHAR(16), 
	whatsapp VARCHAR(16), 
	linkedin VARCHAR(100), 
	instagram VARCHAR(30), 
	snapchat VARCHAR(15), 
	x VARCHAR(15), 
	tiktok VARCHAR(24), 
	youtube VARCHAR(30), 
	facebook VARCHAR(50), 
	github VARCHAR(39), 
	website VARCHAR(2000), 
	address VARCHAR(300), 
	photo VARCHAR(80), 
	banner VARCHAR(80), 
	theme VARCHAR(20) NOT NULL, 
	is_public BOOLEAN NOT NULL, 
	hidden_fields JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_profiles PRIMARY KEY (id), 
	CONSTRAINT ck_profiles_slug_lower CHECK (slug = lower(slug)), 
	CONSTRAINT fk_profiles_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id), 
	CONSTRAINT uq_profiles_slug UNIQUE (slug), 
	CONSTRAINT ck_profiles_profiletheme CHECK (theme IN ('lake', 'ember', 'forest', 'night', 'rose'))
);
INSERT INTO "profiles" VALUES(1,1,'ada-lind','Ada Lind',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'e43fdee1be1d35657b285afd4a75302e.webp',NULL,'lake',1,'[]','2026-11-24 10:00:00.000000',1);
CREATE TABLE promotion_customers (
	promotion_id INTEGER NOT NULL, 
	customer VARCHAR(64) NOT NULL, 
	use_count INTEGER NOT NULL, 
	CONSTRAINT pk_promotion_customers PRIMARY KEY (promotion_id, customer), 
	CONSTRAINT ck_promotion_customers_use_count_not_negative CHECK (use_count >= 0), 
	CONSTRAINT fk_promotion_customers_promotion_id_promotions FOREIGN KEY(promotion_id) REFERENCES promotions (id) ON DELETE CASCADE
);
INSERT INTO "promotion_customers" VALUES(1,'6c0fc5045c9e01b441d58b64ee77f733c920e33c6c852fb0c5774203a29d3bbb',1);
INSERT INTO "promotion_customers" VALUES(1,'9d75e40d1148d88679e5a789ae174454d4e0937dafea7b2c07708d662f69ecff',1);
CREATE TABLE promotions (
	id INTEGER NOT NULL, 
	code VARCHAR(40) NOT NULL, 
	percent INTEGER, 
	amount BIGINT, 
	starts_at DATETIME, 
	ends_at DATETIME, 
	minimum_amount BIGINT NOT NULL, 
	applies_to VARCHAR(20) NOT NULL, 
	category_id INTEGER, 
	collection_id INTEGER, 
	product_id INTEGER, 
	needs_account BOOLEAN NOT NULL, 
	most_uses INTEGER, 
	most_uses_each INTEGER, 
	use_count INTEGER NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_promotions PRIMARY KEY (id), 
	CONSTRAINT ck_promotions_names_its_category CHECK ((applies_to = 'category') = (category_id IS NOT NULL)), 
	CONSTRAINT ck_promotions_names_its_collection CHECK ((applies_to = 'collection') = (collection_id IS NOT NULL)), 
	CONSTRAINT ck_promotions_names_its_product CHECK ((applies_to = 'product') = (product_id IS NOT NULL)), 
	CONSTRAINT ck_promotions_percent_or_amount CHECK ((percent IS NULL) <> (amount IS NULL)), 
	CONSTRAINT ck_promotions_amount_in_range CHECK (amount IS NULL OR amount BETWEEN 1 AND 1000000000), 
	CONSTRAINT ck_promotions_code_upper CHECK (code = upper(code)), 
	CONSTRAINT ck_promotions_minimum_not_negative CHECK (minimum_amount >= 0), 
	CONSTRAINT ck_promotions_most_uses_positive CHECK (most_uses IS NULL OR most_uses >= 1), 
	CONSTRAINT ck_promotions_most_uses_each_positive CHECK (most_uses_each IS NULL OR most_uses_each >= 1), 
	CONSTRAINT ck_promotions_percent_in_range CHECK (percent IS NULL OR percent BETWEEN 1 AND 10000), 
	CONSTRAINT ck_promotions_use_count_not_negative CHECK (use_count >= 0), 
	CONSTRAINT fk_promotions_category_id_categories FOREIGN KEY(category_id) REFERENCES categories (id), 
	CONSTRAINT fk_promotions_collection_id_collections FOREIGN KEY(collection_id) REFERENCES collections (id), 
	CONSTRAINT fk_promotions_product_id_products FOREIGN KEY(product_id) REFERENCES products (id), 
	CONSTRAINT uq_promotions_code UNIQUE (code), 
	CONSTRAINT ck_promotions_promotionscope CHECK (applies_to IN ('all', 'category', 'collection', 'product'))
);
INSERT INTO "promotions" VALUES(1,'WELCOME10',1000,NULL,NULL,NULL,0,'all',NULL,NULL,NULL,0,NULL,1,1,1,'2026-11-27 10:00:00.000000',1);
CREATE TABLE recovery_codes (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	code_hash VARCHAR(64) NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT pk_recovery_codes PRIMARY KEY (id), 
	CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_recovery_codes_user_id_code_hash UNIQUE (user_id, code_hash)
);
INSERT INTO "recovery_codes" VALUES(1,3,'9ee59f2792c96f0d7e86561d31ee1d40f67a3e1f8f74a1446c77e2f211cd7683','2026-11-30 10:00:00.000000');
INSERT INTO "recovery_codes" VALUES(2,3,'30f9e5f31af39edcd7af71f381fd6326844d491dcabfa8dfae943fc3e22d4337',NULL);
INSERT INTO "recovery_codes" VALUES(3,3,'b86cc0122d2444d21b56ec45fd0cbd4e8ba9031b64c241984b45338c4205bd49',NULL);
INSERT INTO "recovery_codes" VALUES(4,3,'65fb8e0f358e887b4ebd933051a16841649e2cea440a7f174d250edccc509828',NULL);
INSERT INTO "recovery_codes" VALUES(5,3,'1a9a1a45bb4c7cd3975b6e31f57b284c68a6040e081d424913c7f030391602c6',NULL);
INSERT INTO "recovery_codes" VALUES(6,3,'98e3471030b8ea226ee37caaccf2ed601e8f0fe911aa452c54e05c3a44f7fe28',NULL);
INSERT INTO "recovery_codes" VALUES(7,3,'e3b6bef6c33b8e77b456d345d70e9d07b7f3dd63ca67a4d4f2619fb3e3852261',NULL);
INSERT INTO "recovery_codes" VALUES(8,3,'d5a06c5ecb0e300c1f6c56ae1791273b35589358dd911741579350663ced5fc9',NULL);
INSERT INTO "recovery_codes" VALUES(9,3,'80ff8a6dec1fc0dd4ba8629a4f115f732ecf53828b40542c07c9aa0e36435f53',NULL);
INSERT INTO "recovery_codes" VALUES(10,3,'10e5dcefd0b8c47b0f486cdfc71143887f0565c51fc3ab758e94a87a4e2bc8bb',NULL);
CREATE TABLE reviews (
	id INTEGER NOT NULL, 
	product_id INTEGER NOT NULL, 
	user_id INTEGER, 
	author VARCHAR(60) NOT NULL, 
	rating INTEGER NOT NULL, 
	text VARCHAR(2000) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	created_at DATETIME NOT NULL, 
	decided_at DATETIME, 
	CONSTRAINT pk_reviews PRIMARY KEY (id), 
	CONSTRAINT ck_reviews_rating_in_range CHECK (rating BETWEEN 1 AND 5), 
	CONSTRAINT fk_reviews_product_id_products FOREIGN KEY(product_id) REFERENCES products (id), 
	CONSTRAINT fk_reviews_user_id_users FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT uq_reviews_product_id_user_id UNIQUE (product_id, user_id), 
	CONSTRAINT ck_reviews_reviewstatus CHECK (status IN ('waiting', 'approved', 'rejected'))
);
INSERT INTO "reviews" VALUES(1,1,4,'Flo',5,'Lies flat.','waiting','2026-11-28 10:00:00.000000',NULL);
CREATE TABLE roles (
	id INTEGER NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	permissions JSON NOT NULL, 
	is_fixed BOOLEAN NOT NULL, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT uq_roles_name UNIQUE (name)
);
INSERT INTO "roles" VALUES(1,'owner','["*"]',1);
INSERT INTO "roles" VALUES(2,'staff','["cards.view", "cards.register", "cards.make", "cards.lock", "cards.retire", "catalogue.edit", "promotions.edit", "delivery.edit", "designs.edit", "reviews.decide", "orders.view", "orders.edit", "payments.confirm", "credit.give", "pages.edit", "enquiries.answer", "newsletter.view", "hosts.block", "profiles.view", "taps.view", "users.view", "mails.view", "audit.view", "pages.edit", "newsletter.view", "enquiries.answer"]',1);
INSERT INTO "roles" VALUES(3,'teacher','["classes.teach", "classes.check_in"]',1);
INSERT INTO "roles" VALUES(4,'assistant','["classes.check_in"]',1);
CREATE TABLE sandbox_charges (
	reference VARCHAR(60) NOT NULL, 
	public_id VARCHAR(43) NOT NULL, 
	amount BIGINT NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	description VARCHAR(200) NOT NULL, 
	return_url VARCHAR(2000) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	pays_at DATETIME, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_sandbox_charges PRIMARY KEY (reference), 
	CONSTRAINT uq_sandbox_charges_public_id UNIQUE (public_id)
);
CREATE TABLE schedules (
	name VARCHAR(60) NOT NULL, 
	due_at DATETIME NOT NULL, 
	last_run_at DATETIME, 
	error VARCHAR(500) NOT NULL, 
	CONSTRAINT pk_schedules PRIMARY KEY (name)
);
INSERT INTO "schedules" VALUES('taps.fold','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('visitors.rotate','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('rows.purge','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('uploads.sweep','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('users.erase','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('transfers.expire','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('newsletter.purge','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('mails.weekly','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('carts.purge','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('orders.expire','2026-11-30 11:00:00.000000',NULL,'');
INSERT INTO "schedules" VALUES('payments.look','2026-11-30 11:00:00.000000',NULL,'');
CREATE TABLE settings (
	name VARCHAR(60) NOT NULL, 
	value JSON NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY (name)
);
INSERT INTO "settings" VALUES('shop_name','"Harbour Cards"',1);
INSERT INTO "settings" VALUES('time_zone','"Europe/Berlin"',1);
INSERT INTO "settings" VALUES('order_minutes',90,1);
INSERT INTO "settings" VALUES('brand_color','"#117755"',1);
INSERT INTO "settings" VALUES('whatsapp_number','"+447400123456"',1);
INSERT INTO "settings" VALUES('offline_text','"Sort code 00-00-00"',1);
INSERT INTO "settings" VALUES('newsletter_consent','"Yes, please."',1);
CREATE TABLE shop_pages (
	id INTEGER NOT NULL, 
	slug VARCHAR(120) NOT NULL, 
	title VARCHAR(120) NOT NULL, 
	body TEXT NOT NULL, 
	description VARCHAR(500) NOT NULL, 
	menu VARCHAR(20) NOT NULL, 
	position INTEGER NOT NULL, 
	is_published BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_shop_pages PRIMARY KEY (id), 
	CONSTRAINT uq_shop_pages_slug UNIQUE (slug), 
	CONSTRAINT ck_shop_pages_pagemenu CHECK (menu IN ('none', 'top', 'footer'))
);
CREATE TABLE shop_tap_days (
	day_on DATE NOT NULL, 
	id INTEGER NOT NULL, 
	design_id INTEGER NOT NULL, 
	channel VARCHAR(20) NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	device VARCHAR(20) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	is_bot BOOLEAN NOT NULL, 
	is_own BOOLEAN NOT NULL, 
	tap_count INTEGER NOT NULL, 
	CONSTRAINT pk_shop_tap_days PRIMARY KEY (id), 
	CONSTRAINT uq_shop_tap_days_key UNIQUE (day_on, design_id, channel, outcome, device, country, is_bot, is_own), 
	CONSTRAINT ck_shop_tap_days_channel CHECK (channel IN ('nfc', 'qr')), 
	CONSTRAINT ck_shop_tap_days_outcome CHECK (outcome IN ('redirect', 'profile', 'event', 'check_in', 'activation', 'setup', 'edit', 'switched_off', 'retired', 'orphan')), 
	CONSTRAINT ck_shop_tap_days_device CHECK (device IN ('phone', 'tablet', 'desktop', 'other'))
);
INSERT INTO "shop_tap_days" VALUES('2026-11-26',1,1,'nfc','redirect','phone','',0,0,3);
CREATE TABLE spool_files (
	name VARCHAR(80) NOT NULL, 
	off INTEGER NOT NULL, 
	bad_count INTEGER NOT NULL, 
	done_at DATETIME, 
	CONSTRAINT pk_spool_files PRIMARY KEY (name)
);
INSERT INTO "spool_files" VALUES('1796126526081-377a561d7cbc35ca.spool',729,0,'2026-11-27 10:00:00.000000');
CREATE TABLE subscribers (
	id INTEGER NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	consent_text VARCHAR(500) NOT NULL, 
	created_at DATETIME NOT NULL, 
	asked_at DATETIME NOT NULL, 
	confirmed_at DATETIME, 
	unsubscribed_at DATETIME, 
	CONSTRAINT pk_subscribers PRIMARY KEY (id), 
	CONSTRAINT ck_subscribers_email_lower CHECK (email = lower(email)), 
	CONSTRAINT uq_subscribers_email UNIQUE (email), 
	CONSTRAINT ck_subscribers_subscriberstatus CHECK (status IN ('pending', 'subscribed', 'unsubscribed'))
);
INSERT INTO "subscribers" VALUES(1,'nora@example.com','subscribed','Yes, please.','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',NULL);
INSERT INTO "subscribers" VALUES(2,'olaf@example.com','pending','Yes, please.','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,NULL);
INSERT INTO "subscribers" VALUES(3,'pia@example.com','pending','Yes, please.','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,NULL);
CREATE TABLE tap_days (
	day_on DATE NOT NULL, 
	id INTEGER NOT NULL, 
	card_id INTEGER NOT NULL, 
	owner_id INTEGER NOT NULL, 
	design_id INTEGER NOT NULL, 
	channel VARCHAR(20) NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	device VARCHAR(20) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	is_bot BOOLEAN NOT NULL, 
	is_own BOOLEAN NOT NULL, 
	tap_count INTEGER NOT NULL, 
	CONSTRAINT pk_tap_days PRIMARY KEY (id), 
	CONSTRAINT uq_tap_days_key UNIQUE (card_id, day_on, owner_id, design_id, channel, outcome, device, country, is_bot, is_own), 
	CONSTRAINT ck_tap_days_channel CHECK (channel IN ('nfc', 'qr')), 
	CONSTRAINT ck_tap_days_outcome CHECK (outcome IN ('redirect', 'profile', 'event', 'check_in', 'activation', 'setup', 'edit', 'switched_off', 'retired', 'orphan')), 
	CONSTRAINT ck_tap_days_device CHECK (device IN ('phone', 'tablet', 'desktop', 'other'))
);
INSERT INTO "tap_days" VALUES('2026-11-26',1,1,1,1,'nfc','redirect','phone','',0,0,3);
CREATE TABLE tap_hours (
	hour_at DATETIME NOT NULL, 
	folded_count INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	card_id INTEGER NOT NULL, 
	owner_id INTEGER NOT NULL, 
	design_id INTEGER NOT NULL, 
	channel VARCHAR(20) NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	device VARCHAR(20) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	is_bot BOOLEAN NOT NULL, 
	is_own BOOLEAN NOT NULL, 
	tap_count INTEGER NOT NULL, 
	CONSTRAINT pk_tap_hours PRIMARY KEY (id), 
	CONSTRAINT uq_tap_hours_key UNIQUE (card_id, hour_at, owner_id, design_id, channel, outcome, device, country, is_bot, is_own), 
	CONSTRAINT ck_tap_hours_channel CHECK (channel IN ('nfc', 'qr')), 
	CONSTRAINT ck_tap_hours_outcome CHECK (outcome IN ('redirect', 'profile', 'event', 'check_in', 'activation', 'setup', 'edit', 'switched_off', 'retired', 'orphan')), 
	CONSTRAINT ck_tap_hours_device CHECK (device IN ('phone', 'tablet', 'desktop', 'other'))
);
INSERT INTO "tap_hours" VALUES('2026-11-26 10:00:00.000000',3,1,1,1,1,'nfc','redirect','phone','',0,0,3);
CREATE TABLE taps (
	id INTEGER NOT NULL, 
	uid VARCHAR(32) NOT NULL, 
	tapped_at DATETIME NOT NULL, 
	card_id INTEGER, 
	token VARCHAR(20), 
	owner_id INTEGER, 
	design_id INTEGER, 
	channel VARCHAR(20) NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	user_agent_id INTEGER, 
	language VARCHAR(12) NOT NULL, 
	referrer_host VARCHAR(255) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	visitor VARCHAR(32) NOT NULL, 
	is_bot BOOLEAN NOT NULL, 
	is_own BOOLEAN NOT NULL, 
	CONSTRAINT pk_taps PRIMARY KEY (id), 
	CONSTRAINT uq_taps_uid UNIQUE (uid), 
	CONSTRAINT ck_taps_channel CHECK (channel IN ('nfc', 'qr')), 
	CONSTRAINT ck_taps_outcome CHECK (outcome IN ('redirect', 'profile', 'event', 'check_in', 'activation', 'setup', 'edit', 'switched_off', 'retired', 'orphan'))
);
INSERT INTO "taps" VALUES(1,'01a2174c350025d153e0fba6fd000000','2026-11-26 10:00:00.000000',1,NULL,1,1,'nfc','redirect',1,'','','','ef53c3114eee3496d7cac99d',0,0);
INSERT INTO "taps" VALUES(2,'01a2174c350025d153e0fba6fd000001','2026-11-26 10:00:00.000000',1,NULL,1,1,'nfc','redirect',1,'','','','ef53c3114eee3496d7cac99d',0,0);
INSERT INTO "taps" VALUES(3,'01a2174c350025d153e0fba6fd000002','2026-11-26 10:00:00.000000',1,NULL,1,1,'nfc','redirect',1,'','','','ef53c3114eee3496d7cac99d',0,0);
CREATE TABLE throttle_counters (
	scope VARCHAR(40) NOT NULL, 
	subject VARCHAR(64) NOT NULL, 
	window_ends_at DATETIME NOT NULL, 
	count INTEGER NOT NULL, 
	CONSTRAINT pk_throttle_counters PRIMARY KEY (scope, subject)
);
INSERT INTO "throttle_counters" VALUES('log_in.address','fcf6bd88e83fcbc6346c7740344d7ddb0d9b2e0b6f91584f2d15f9d46f4ad7e0','2026-11-30 10:15:00.000000',4);
CREATE TABLE two_factor (
	user_id INTEGER NOT NULL, 
	secret VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, 
	confirmed_at DATETIME, 
	last_step INTEGER, 
	CONSTRAINT pk_two_factor PRIMARY KEY (user_id), 
	CONSTRAINT fk_two_factor_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "two_factor" VALUES(3,'gAAAAABrDrdGmzQZFlhMpMyTCCG4p89y6NwHjI0CmjF8FChpHZqGkNGciXR49vkC3XV2IhZX_wVejAaaHhKerYBC9JX4dAWoqREZUaLD5cOr4Y8zorUAn1laqB0FrBTthfoLv-wZtyBx','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000',59867760);
CREATE TABLE user_agents (
	id INTEGER NOT NULL, 
	text VARCHAR(512) NOT NULL, 
	device VARCHAR(20) NOT NULL, 
	os_family VARCHAR(40) NOT NULL, 
	is_bot BOOLEAN NOT NULL, 
	CONSTRAINT pk_user_agents PRIMARY KEY (id), 
	CONSTRAINT uq_user_agents_text UNIQUE (text), 
	CONSTRAINT ck_user_agents_device CHECK (device IN ('phone', 'tablet', 'desktop', 'other'))
);
INSERT INTO "user_agents" VALUES(1,'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36','phone','Android',0);
CREATE TABLE user_roles (
	user_id INTEGER NOT NULL, 
	role_id INTEGER NOT NULL, 
	CONSTRAINT pk_user_roles PRIMARY KEY (user_id, role_id), 
	CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "user_roles" VALUES(10,2);
INSERT INTO "user_roles" VALUES(11,1);
INSERT INTO "user_roles" VALUES(12,3);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	title VARCHAR(20), 
	first_name VARCHAR(50) NOT NULL, 
	last_name VARCHAR(50) NOT NULL, 
	born_on DATE, 
	password_hash VARCHAR(255), 
	verified_at DATETIME, 
	is_active BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	seen_at DATETIME, password_set_at DATETIME, closed_at DATETIME, erased_at DATETIME, wants_lead_mail BOOLEAN DEFAULT 1 NOT NULL, wants_weekly_mail BOOLEAN DEFAULT 0 NOT NULL, weekly_mail_on DATE, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT ck_users_email_lower CHECK (email = lower(email)), 
	CONSTRAINT uq_users_email UNIQUE (email)
);
INSERT INTO "users" VALUES(1,'ada@example.com',NULL,'Ada','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$XCsgW/KU/jdXGWD9+LLGcQ$ufEMo6sCUCVSDQ9dVO/wwAULmnRxMAZ3a7LVZcUbTPQ','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,NULL,NULL,1,1,'2026-11-30');
INSERT INTO "users" VALUES(2,'cleo@example.com',NULL,'Cleo','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$xLeTYfuuhP7jQI0gUW8F7w$D+IkC5jYid9oTM9PTdStWx9aAQ/HMCYXZMxkxwuOeSA','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(3,'eve@example.com',NULL,'Eve','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$eTeoo356turllUgwjVsQuA$EYFQ665yDxSKK5gZScXLmqrpEBVFkFeOTrTutBFwgGo','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(4,'flo@example.com',NULL,'Flo','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$4wPTR2+wrrAC3LBfWtYGMA$sLeYevYIeT2FH6boNmUSlgHq/l6GeGdE89cqzpuu0Rc','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(5,'gil.new@example.com',NULL,'Gil','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$yMAbFMdNKRErIj+Ww8S1FQ$kJE5wUzz8jKKR5aRq6k1tvaYqByxCGOMrG8Y4VNQeuA','2026-11-30 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(6,'hal@example.com',NULL,'Hal','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$NzKUFgIwMSP4z/BW7p7eFA$KiwfO8SvHdxQ3jfmyEPBwZfQAgK49glS/J8FcME2Dps','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(7,'ivy@example.com',NULL,'Ivy','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$XlTnVpBB5dTmDGsTAHJ8+g$GaJyB695uSbUPjurCDGvCr/+u8w033b6LUPVpgpJDUI','2026-11-24 10:00:00.000000',0,'2026-11-24 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,'2026-11-30 10:00:00.000000',NULL,1,0,NULL);
INSERT INTO "users" VALUES(8,'jon@example.com',NULL,'Jon','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$Ntdrv4iKDAXLMFrvc9n2cA$FDZPHer/FFnZUmR+Fn5mQCkN+Ut/rsayFf2J9OJIb2E','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(9,'kim@example.com',NULL,'Kim','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$md9Gb0vA5CcJ0Bpg5FInWQ$zYG6iwpHapkVEEirZDDcvFSjuHqwlsxyEuXBckulpfA','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,'2026-11-30 10:00:00.000000',NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(10,'ben@example.com',NULL,'Ben','Marsh',NULL,'$argon2id$v=19$m=8,t=1,p=1$Uu5420LhcqgiEJuIaT6Wtw$okCFYZaRP+OMNsf9TEHQ5Y41mnRL8J3HP/wiuqOsJRM','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000','2026-11-30 10:00:00.000000',NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(11,'olu@example.com',NULL,'Olu','Ade',NULL,'$argon2id$v=19$m=8,t=1,p=1$VdHV40oPO3pjbfSpBKauRw$yVAq8acuLLjIB8XzgjInrJLB62Qd+SfpCd5NBPPEIiU','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(12,'tia@example.com',NULL,'Tia','Bell',NULL,'$argon2id$v=19$m=8,t=1,p=1$LyH+8PcnT8vaZZMFCgdwzA$o4OywEHxQ3bADvgUESniUd8NGicBx4ySqQd1Ev6U4/o','2026-11-24 10:00:00.000000',1,'2026-11-24 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(13,'gus@example.com',NULL,'Gus','Lind',NULL,NULL,NULL,1,'2026-11-28 10:00:00.000000',NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "users" VALUES(14,'dan@example.com',NULL,'Dan','Lind',NULL,'$argon2id$v=19$m=8,t=1,p=1$GDh1EFArvn5/FYkA7oIVjw$IvLS2ljGCFAQMApzOjywtPkUKvwtQCFrwn99I5GEOdM',NULL,1,'2026-11-30 10:00:00.000000',NULL,'2026-11-30 10:00:00.000000',NULL,NULL,1,0,NULL);
CREATE TABLE visitor_keys (
	day_on DATE NOT NULL, 
	"key" BLOB NOT NULL, 
	CONSTRAINT pk_visitor_keys PRIMARY KEY (day_on)
);
INSERT INTO "visitor_keys" VALUES('2026-11-26',X'76CEFF2C25CBA8D98B011B1B7A26082BDB6CD2480EF0EAEBAE13525EF73FC7A4');
INSERT INTO "visitor_keys" VALUES('2026-11-30',X'6463C361D2C6D31AE4F40FD556623F2DB46F99291C13DD77283641BE69387781');
CREATE TABLE web_sessions (
	id INTEGER NOT NULL, 
	sid_hash VARCHAR(64) NOT NULL, 
	user_id INTEGER, 
	device VARCHAR(200) NOT NULL, 
	data BLOB NOT NULL, 
	created_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_web_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_web_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_web_sessions_sid_hash UNIQUE (sid_hash)
);
INSERT INTO "web_sessions" VALUES(1,'87d231e9c3d8b8f5ad28069f7f92525b06337c41f8f67a2e0b2c48e70aec8ada',1,'Werkzeug/3.1.9',X'7B225F7065726D616E656E74223A20747275652C20225F70726F76656E223A207B2270617373776F7264223A2022222C20227365636F6E645F666163746F72223A2022222C20226174223A20313739363033323830302E307D2C20225F757365725F6964223A202231222C20225F6672657368223A20747275652C20225F6964223A20223033663039356131633033666463653866653265613934373337656639643632633435366661663636643637616163396539643762326636353438323131616162373164356365356335353065373463333161303535653131306235636531343239636663663465623836306665326334363061306336663833306337663539222C2022637372665F746F6B656E223A202234383831653566663838623031343861336435366435386365343963623162326338336437663134227D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2027-01-29 10:00:00.000000');
INSERT INTO "web_sessions" VALUES(2,'48b5e4bb9721d94cb3558909e9fd6b6450b23f8f673ec3d44270b00a36798f9a',10,'Werkzeug/3.1.9',X'7B225F7065726D616E656E74223A2066616C73652C20225F70726F76656E223A207B2270617373776F7264223A2022222C20227365636F6E645F666163746F72223A2022222C20226174223A20313739363033323830302E307D2C20225F757365725F6964223A20223130222C20225F6672657368223A20747275652C20225F6964223A20223033663039356131633033666463653866653265613934373337656639643632633435366661663636643637616163396539643762326636353438323131616162373164356365356335353065373463333161303535653131306235636531343239636663663465623836306665326334363061306336663833306337663539227D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2026-11-30 22:00:00.000000');
INSERT INTO "web_sessions" VALUES(3,'0dc43f7d61454276945ab1923c91bfe7651d444632f29d5e52640fc81e8bedb8',NULL,'Werkzeug/3.1.9',X'7B22637372665F746F6B656E223A202238303236323138333831326338623462336238323038653563366165626663633232393339326130222C2022636172745F6964223A205B31302C2022323032362D31312D33305431303A30303A30302B30303A3030225D2C20225F7065726D616E656E74223A20747275652C20225F666C6173686573223A205B5B2273756363657373222C202241646465643A205C75303063396D61696C6C5C753030653920626F74746C652E225D5D7D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2027-01-29 10:00:00.000000');
INSERT INTO "web_sessions" VALUES(4,'b2d38f888f208d26c39dbf2747586bc8761c7a465ab9e779b89c8ffffa865478',NULL,'Werkzeug/3.1.9',X'7B226F7264657273223A205B355D7D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2026-11-30 22:00:00.000000');
INSERT INTO "web_sessions" VALUES(5,'087b517b36f2263b2acbe755fdb45792c533e18a5d5f9a3dfb7dbc9d396c938c',NULL,'Werkzeug/3.1.9',X'7B225F7065726D616E656E74223A2066616C73652C20225F68616C665F776179223A207B22757365725F6964223A20332C202270617373776F7264223A2022222C202272656D656D626572223A2066616C73652C2022756E74696C223A20313739363033333430302E307D7D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2026-11-30 22:00:00.000000');
INSERT INTO "web_sessions" VALUES(6,'a8d3844c6c56cdffb0840c9659415062ff0535234bda2d224a5a716f22f14a83',NULL,'Werkzeug/3.1.9',X'7B225F7065726D616E656E74223A2066616C73652C20226F757473696465223A207B22757365725F6964223A20372C202270617373776F7264223A2022222C20227365636F6E645F666163746F72223A2022222C2022756E74696C223A20313739363033333730302E307D7D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2026-11-30 22:00:00.000000');
INSERT INTO "web_sessions" VALUES(7,'dd8129f08dce2246960fb9395ea47794549f34bc54e97b8950a6d92ebd16e0cc',NULL,'Werkzeug/3.1.9',X'7B22637372665F746F6B656E223A202232363638663062643762623064376563656364656436626463313437626630626130373661633332227D','2026-11-30 10:00:00.000000','2026-11-30 10:00:00.000000','2026-11-30 22:00:00.000000');
CREATE TABLE wishlist_entries (
	user_id INTEGER NOT NULL, 
	product_id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_wishlist_entries PRIMARY KEY (user_id, product_id), 
	CONSTRAINT fk_wishlist_entries_product_id_products FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE, 
	CONSTRAINT fk_wishlist_entries_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "wishlist_entries" VALUES(1,2,'2026-11-27 10:00:00.000000');
CREATE INDEX ix_outbox_done_at ON outbox (done_at);
CREATE INDEX ix_outbox_due ON outbox (due_at) WHERE done_at IS NULL AND failed_at IS NULL;
CREATE INDEX ix_spool_files_done_at ON spool_files (done_at);
CREATE INDEX ix_tap_days_day_on ON tap_days (day_on);
CREATE INDEX ix_tap_days_owner_id_day_on ON tap_days (owner_id, day_on);
CREATE INDEX ix_tap_hours_unfolded ON tap_hours (id) WHERE tap_count <> folded_count;
CREATE INDEX ix_taps_card_id_tapped_at ON taps (card_id, tapped_at);
CREATE INDEX ix_taps_orphans ON taps (tapped_at, token) WHERE card_id IS NULL;
CREATE INDEX ix_taps_owner_id_tapped_at ON taps (owner_id, tapped_at);
CREATE INDEX ix_throttle_counters_window_ends_at ON throttle_counters (window_ends_at);
CREATE INDEX ix_audit_entries_actor_id ON audit_entries (actor_id);
CREATE INDEX ix_audit_entries_subject_type_subject_id ON audit_entries (subject_type, subject_id);
CREATE INDEX ix_audit_entries_tag ON audit_entries (tag);
CREATE INDEX ix_designs_owner_id ON designs (owner_id);
CREATE INDEX ix_link_tokens_expires_at ON link_tokens (expires_at);
CREATE INDEX ix_link_tokens_user_id ON link_tokens (user_id);
CREATE INDEX ix_profiles_owner_id ON profiles (owner_id);
CREATE INDEX ix_user_roles_role_id ON user_roles (role_id);
CREATE INDEX ix_web_sessions_expires_at ON web_sessions (expires_at);
CREATE INDEX ix_web_sessions_user_id ON web_sessions (user_id);
CREATE INDEX ix_cards_batch_id ON cards (batch_id);
CREATE INDEX ix_cards_claim_code_hash ON cards (claim_code_hash);
CREATE INDEX ix_cards_design_id ON cards (design_id);
CREATE INDEX ix_cards_owner_id ON cards (owner_id);
CREATE INDEX ix_cards_profile_id ON cards (profile_id);
CREATE INDEX ix_cards_reroute_host ON cards (reroute_host);
CREATE INDEX ix_cards_status ON cards (status);
CREATE INDEX ix_profile_actions_profile_id_happened_at ON profile_actions (profile_id, happened_at);
CREATE INDEX ix_profile_links_profile_id ON profile_links (profile_id);
CREATE INDEX ix_card_events_actor_id ON card_events (actor_id);
CREATE INDEX ix_card_events_card_id ON card_events (card_id);
CREATE INDEX ix_addresses_user_id ON addresses (user_id);
CREATE INDEX ix_former_slugs_profile_id ON former_slugs (profile_id);
CREATE INDEX ix_leads_owner_id_created_at ON leads (owner_id, created_at);
CREATE INDEX ix_leads_profile_id ON leads (profile_id);
CREATE INDEX ix_card_transfers_card_id ON card_transfers (card_id);
CREATE INDEX ix_card_transfers_expires_at ON card_transfers (expires_at);
CREATE INDEX ix_card_transfers_from_user_id ON card_transfers (from_user_id);
CREATE INDEX ix_card_transfers_to_email ON card_transfers (to_email);
CREATE INDEX ix_card_transfers_to_user_id ON card_transfers (to_user_id);
CREATE UNIQUE INDEX uq_card_transfers_open ON card_transfers (card_id) WHERE ended_at IS NULL;
CREATE INDEX ix_cards_replaced_by_id ON cards (replaced_by_id);
CREATE INDEX ix_users_closed_at ON users (closed_at);
CREATE INDEX ix_tap_hours_owner_id_hour_at ON tap_hours (owner_id, hour_at);
CREATE INDEX ix_categories_parent_id ON categories (parent_id);
CREATE INDEX ix_subscribers_status ON subscribers (status);
CREATE INDEX ix_enquiries_email ON enquiries (email);
CREATE INDEX ix_enquiries_user_id ON enquiries (user_id);
CREATE INDEX ix_products_category_id ON products (category_id);
CREATE INDEX ix_products_is_active_created_at ON products (is_active, created_at);
CREATE INDEX ix_products_is_active_price_amount ON products (is_active, price_amount);
CREATE INDEX ix_product_collections_collection_id ON product_collections (collection_id);
CREATE INDEX ix_product_pictures_product_id ON product_pictures (product_id);
CREATE INDEX ix_reviews_status ON reviews (status);
CREATE INDEX ix_reviews_user_id ON reviews (user_id);
CREATE INDEX ix_wishlist_entries_product_id ON wishlist_entries (product_id);
CREATE INDEX ix_carts_updated_at ON carts (updated_at);
CREATE INDEX ix_orders_cart_id_status ON orders (cart_id, status);
CREATE INDEX ix_orders_delivery_method_id ON orders (delivery_method_id);
CREATE INDEX ix_orders_email ON orders (email);
CREATE INDEX ix_orders_promotion_id ON orders (promotion_id);
CREATE INDEX ix_orders_status_expires_at ON orders (status, expires_at);
CREATE INDEX ix_orders_user_id ON orders (user_id);
CREATE INDEX ix_credit_entries_order_id ON credit_entries (order_id);
CREATE INDEX ix_credit_entries_user_id ON credit_entries (user_id);
CREATE INDEX ix_order_events_actor_id ON order_events (actor_id);
CREATE INDEX ix_order_events_order_id ON order_events (order_id);
CREATE INDEX ix_order_lines_card_token ON order_lines (card_token);
CREATE INDEX ix_order_lines_design_id ON order_lines (design_id);
CREATE INDEX ix_order_lines_order_id ON order_lines (order_id);
CREATE INDEX ix_order_lines_product_id ON order_lines (product_id);
CREATE INDEX ix_payments_order_id ON payments (order_id);
CREATE INDEX ix_payments_started_by_id ON payments (started_by_id);
CREATE INDEX ix_payments_status ON payments (status);
CREATE UNIQUE INDEX uq_payments_open ON payments (order_id) WHERE status IN ('created', 'pending');
CREATE INDEX ix_card_holds_order_line_id ON card_holds (order_line_id);
CREATE INDEX ix_cart_lines_card_id ON cart_lines (card_id);
CREATE INDEX ix_cart_lines_design_id ON cart_lines (design_id);
CREATE INDEX ix_cart_lines_product_id ON cart_lines (product_id);
CREATE INDEX ix_cards_order_line_id ON cards (order_line_id);
CREATE INDEX ix_products_featured ON products (is_active, is_featured, created_at, id);
CREATE INDEX ix_products_counted ON products (is_active, category_id, availability, stock, discount_percent);
COMMIT;
